"""Identifiers in messages: whose they are, and whether this sender may feed them (ITI TF-2: 3.8.4.1.3, E.1.1)."""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase

from hl7v2.encoding import NULL
from hl7v2.message import Presence, Repetition, Segment
from ihe.citations import Citation, tf2
from ihe.datatypes import HD
from ihe.domain import AffinityDomain, AssigningAuthority
from ihe.errors import Breach, HL7ErrorCode, Rejected, Severity, some_of
from ihe.partners import Forgive, Quirk, forgive_nothing
from pix.model import Identifier

ANYBODY = "*"
NOBODY = HD()


class IdentifierReader:
    """Reads the CX of one message against the domain; collects what is wrong for ``verdict``.

    ``source`` is ``application|facility``. Quirk *foreign-ids*: ids that are unknown here or not this sender's are left
    out where that is forgiven, with a warning, if others remain.
    """

    def __init__(self, domain: AffinityDomain, source: str, forgive: Forgive = forgive_nothing) -> None:
        self._domain = domain
        self._source = source
        self._forgive = forgive
        self.breaches: list[Breach] = []

    def read(self, segment: Segment, number: int) -> tuple[Identifier, ...]:
        """The identifiers of a field; a required one, so that none at all is a breach."""
        breaches: list[Breach] = []
        found = tuple(self._read_all(segment, number, breaches))
        if found and breaches and self._forgive(Quirk.FOREIGN_IDS):
            breaches = [as_warning(each) for each in breaches]
        elif not found and not breaches:
            breaches = [missing(segment.location(number), "A patient identifier", tf2("3.8.4.1.2.3"))]
        self.breaches.extend(breaches)
        return found

    def withdrawn(self, segment: Segment, number: int) -> tuple[AssigningAuthority, ...]:
        """The national authorities whose id the message deletes: ``""^^^authority``."""
        if NULL not in segment.raw(number):
            return ()
        deleted = [each for each in segment.repetitions(number) if each.presence(1) is Presence.NULL]
        authorities = (self._domain.authority(assigning_authority(each)) for each in deleted)
        return tuple(each for each in authorities if each is not None and each.national)

    def verdict(self) -> Rejected | None:
        """Raise if there is an error; else the warnings, if any."""
        if not self.breaches:
            return None
        found = Rejected(*self.breaches)
        if any(each.severity is Severity.ERROR for each in self.breaches):
            raise found
        return found

    def _read_all(self, segment: Segment, number: int, breaches: list[Breach]) -> Iterator[Identifier]:
        for count, each in enumerate(segment.repetitions(number), 1):
            location = segment.location(number, count)
            if each.presence(1) is Presence.NULL or not each.raw.strip("^&~ "):
                continue
            # Blanks at the end are optional in an ST (HL7 v2.5: 2.A.74), and v3 has none.
            id, type_code = each.text().strip(" "), each.text(5)
            if not id:
                breaches.append(missing(f"{location}^1", "The id of a patient identifier", tf2("E.1.1")))
                continue
            authority = self._authority(assigning_authority(each), f"{location}^4", breaches)
            if authority is not None:
                yield Identifier(
                    authority=authority,
                    id=id,
                    type_code="" if type_code == NULL else type_code,
                    location=f"{location}^1",
                )

    def _authority(self, hd: HD, location: str, breaches: list[Breach]) -> AssigningAuthority | None:
        """The authority that an id names, or the only one that this source feeds (ITI TF-2: 3.8.4.1.3)."""
        if hd == NOBODY:
            own = [each for each in self._domain.assigning_authorities if ANYBODY not in each.sources]
            own = [each for each in own if may_feed(each, self._source) and not each.national]
            if len(own) == 1:
                return own[0]
            breaches.append(_no_authority(location, len(own)))
            return None
        authority = self._domain.authority(hd)
        if authority is None:
            breaches.append(unknown_authority(self._domain, hd, location))
        elif not may_feed(authority, self._source):
            breaches.append(foreign_source(authority, self._source, location))
            return None
        return authority


def may_feed(authority: AssigningAuthority, source: str) -> bool:
    """Claim that the configuration lets this source feed the authority's ids (ITI TF-2: 3.8.4.1.3.1)."""
    return ANYBODY in authority.sources or any(fnmatchcase(source, pattern) for pattern in authority.sources)


def unknown_authority(domain: AffinityDomain, hd: HD, location: str, citation: Citation | None = None) -> Breach:
    """Say why ``hd`` names no identifier domain here: unknown, or two names that do not belong together."""
    known = domain.assigning_authorities
    named = next((each for each in known if hd.namespace_id and each.namespace_id == hd.namespace_id), None)
    by_oid = next((each for each in known if hd.universal_id and each.oid == hd.universal_id), None)
    text = "The assigning authority is not known here"
    if named and hd.universal_id and by_oid is not named:
        text = f"{named.namespace_id} is the authority {named.oid}, not {hd.universal_id}"
    elif by_oid and hd.namespace_id and by_oid is not named:
        text = f"{by_oid.oid} is the authority {by_oid.namespace_id}, not {hd.namespace_id}"
    elif by_oid and hd.universal_id_type != "ISO":
        text = "The universal id of an assigning authority is an OID and its type ISO"
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text=text,
        location=location,
        observed="&".join((hd.namespace_id, hd.universal_id, hd.universal_id_type)).strip("&"),
        expected=some_of(f"{each.namespace_id} or &{each.oid}&ISO" for each in known),
        citation=citation or tf2("E.1.1"),
        remedy="Add the authority to the domain's configuration, or send one that is there",
    )


def missing(location: str, what: str, citation: Citation) -> Breach:
    """Say that something required is not there."""
    return Breach(
        code=HL7ErrorCode.REQUIRED_FIELD_MISSING,
        text=f"{what} is required",
        location=location,
        citation=citation,
    )


def assigning_authority(repetition: Repetition) -> HD:
    """CX.4, as far as it is given."""
    return HD(*["" if text == NULL else text for text in repetition.texts(4)[:3]])


def _no_authority(location: str, candidates: int) -> Breach:
    return Breach(
        code=HL7ErrorCode.REQUIRED_FIELD_MISSING,
        text=f"The id names no assigning authority, and the configuration gives this sender {candidates} of its own",
        location=location,
        citation=tf2("3.8.4.1.3"),
        remedy="Send the namespace id, or the OID and ISO, of the assigning authority",
    )


def foreign_source(authority: AssigningAuthority, source: str, location: str) -> Breach:
    """Say that the configuration does not let ``source`` feed ids of this authority."""
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text=f"This sender is not recognized as a Patient Identity Source of {authority.namespace_id}",
        location=location,
        observed=source,
        expected=some_of(authority.sources),
        citation=tf2("3.8.4.1.3"),
        remedy="Add the sender (MSH-3 and MSH-4, or the OIDs of device and organization) to the authority's sources",
    )


def as_warning(breach: Breach) -> Breach:
    """The breach of an identifier that lenient validation leaves out."""
    return replace(breach, text=f"{breach.text}; this identifier is left out", severity=Severity.WARNING)
