"""The master patient index in values (data elements: ITI TF-2: M.4.1; PID fields: ITI TF-2: Table 3.30-3)."""

from dataclasses import dataclass
from enum import Enum

from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority
from ihe.identifiers import PatientKey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identifier:
    """A patient id in one identifier domain. ``location`` says where the message holds it, for error reports."""

    authority: AssigningAuthority
    id: str
    type_code: str = ""
    location: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two identifiers the same: the authority's OID and the id, character by character."""
        return (self.authority.oid, self.id)

    @property
    def cx(self) -> CX:
        """The identifier with its fully qualified assigning authority (ITI TF-2: Table E-2)."""
        return CX(self.id, self.authority.hd, self.type_code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identifier) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """XPN: a name; ``family`` is the whole surname, the four parts after it are optional detail (FN.2 to FN.5)."""

    family: str = ""
    given: str = ""
    further_given: str = ""
    suffix: str = ""
    prefix: str = ""
    degree: str = ""
    type_code: str = ""
    own_family_prefix: str = ""
    own_family: str = ""
    partner_family_prefix: str = ""
    partner_family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """XAD: ``street`` is the whole line; ``street_name`` and ``house_number`` are optional detail (SAD.2, SAD.3)."""

    street: str = ""
    other_designation: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    type_code: str = ""
    other_geographic: str = ""
    county: str = ""
    street_name: str = ""
    house_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telecom:
    """XTN: a telephone number as text or in parts, or an e-mail address. ``use`` PRN, WPN; ``equipment`` PH, CP..."""

    number: str = ""
    use: str = ""
    equipment: str = ""
    email: str = ""
    country_code: str = ""
    area_code: str = ""
    local_number: str = ""
    extension: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """CE: a coded element."""

    code: str = ""
    text: str = ""
    scheme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """What one source says of one patient, as sent. An empty tuple or None means that nothing is known.

    ``birth_time``, ``death_time`` and ``last_update_time`` are DTM of any precision; ``sex`` is of HL7 table 0001.
    """

    names: tuple[PersonName, ...] = ()
    mothers_maiden_names: tuple[PersonName, ...] = ()
    birth_time: str | None = None
    sex: str | None = None
    aliases: tuple[PersonName, ...] = ()
    races: tuple[Coded, ...] = ()
    addresses: tuple[Address, ...] = ()
    county: str | None = None
    home_phones: tuple[Telecom, ...] = ()
    business_phones: tuple[Telecom, ...] = ()
    languages: tuple[Coded, ...] = ()
    marital_status: Coded | None = None
    religion: Coded | None = None
    accounts: tuple[CX, ...] = ()
    ssn: str | None = None
    drivers_license: str | None = None
    mothers_identifiers: tuple[CX, ...] = ()
    ethnic_groups: tuple[Coded, ...] = ()
    birth_place: str | None = None
    multiple_birth: str | None = None
    birth_order: str | None = None
    citizenships: tuple[Coded, ...] = ()
    veterans_status: Coded | None = None
    nationality: Coded | None = None
    death_time: str | None = None
    death_indicator: str | None = None
    identity_unknown: str | None = None
    identity_reliability: tuple[str, ...] = ()
    last_update_time: str | None = None
    last_update_facility: HD | None = None


class IdentifierList(Enum):
    """Whether a message lists every national id of the patient, so that one no longer listed is withdrawn."""

    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who sent a change, and the answer that goes out once it is stored; a resend gets the answer stored first.

    ``source`` is ``application|facility``, ``digest`` the SHA-256 (hex) of the message's content, ``answer`` the
    serialized acknowledgement that says "accepted", ``transaction`` such as ``ITI-30 A31``.
    """

    source: str
    message_id: str
    digest: str
    answer: bytes
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One patient as one message states it.

    ``deleted`` names the attributes of Demographics that the message deletes explicitly (``""`` in HL7 v2, ITI TF-2:
    C.2.6); ``withdrawn`` the national authorities whose id it deletes. Attributes that are absent stay as they were.
    ``sent`` is the patient as received (the PID segment, the v3 patient element), kept with the event.
    """

    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    deleted: frozenset[str] = frozenset()
    withdrawn: tuple[AssigningAuthority, ...] = ()
    identifier_list: IdentifierList = IdentifierList.PARTIAL
    sent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """``subsumed`` (MRG-1) becomes ``surviving`` (PID-3); both are of the same identifier domain."""

    surviving: Identifier
    subsumed: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierPattern:
    """An identifier to search for; without an authority it may be of any domain."""

    id: str
    authority: AssigningAuthority | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What to search for: every criterion must hold (ITI TF-2: Table M.4.2-1).

    Texts ignore case and accents and may hold ``*`` for any characters. ``birth`` is an inclusive range of two DTM,
    each of any precision: ``("1980", "1980")`` is the whole year. An account without an authority may be anybody's.
    """

    identifiers: tuple[IdentifierPattern, ...] = ()
    family: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    birth: tuple[str, str] | None = None
    sex: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    mothers_family: str | None = None
    mothers_given: str | None = None
    phone: str | None = None
    accounts: tuple[CX, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One person that matches: the ids of all linked sources, and the demographics of the record that matched."""

    key: PatientKey
    identifiers: tuple[Identifier, ...]
    demographics: Demographics


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the result. ``total`` counts all matches; ``truncated`` says that there were more than the index lists.

    ``start`` is the 1-based number of the first candidate here; ``pointer`` fetches the next page, None at the end.
    ``domains`` (OIDs) and ``asked`` are those of the query.
    """

    candidates: tuple[Candidate, ...]
    total: int
    start: int = 1
    pointer: str | None = None
    truncated: bool = False
    domains: tuple[str, ...] = ()
    asked: str = ""

    @property
    def remaining(self) -> int:
        """How many matches follow after this page."""
        return max(self.total - (self.start - 1) - len(self.candidates), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateQuery:
    """A demographics query. ``owner`` and ``tag`` name it for continuation and cancellation (sender, query tag).

    ``domains`` restricts the identifiers in the answer, empty for all; a person without an id in any of them is not
    returned (ITI TF-2: 3.21.4.2.2.8, case 2). ``quantity`` limits the first page, None for all at once.
    ``alternatives`` are further criteria: a person who meets them or ``criteria`` is found. ``asked`` is the query as
    sent, which answers repeat in HL7 v3 (ITI TF-2: 3.47.4.2.2.3).
    """

    criteria: Criteria
    alternatives: tuple[Criteria, ...] = ()
    domains: tuple[AssigningAuthority, ...] = ()
    quantity: int | None = None
    owner: str = ""
    tag: str = ""
    asked: str = ""
