"""One line of a file: what one source says of one patient, or why it cannot be read."""

from dataclasses import dataclass

from hl7v2.encoding import STANDARD, read_text, write_text
from ihe.datatypes import HD
from ihe.domain import AffinityDomain
from pix.identification import unknown_authority
from pix.model import Demographics, Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLine:
    """``source`` is ``application|facility``, or ``""`` where the line does not say it."""

    source: str
    identifiers: tuple[Identifier, ...]
    demographics: Demographics


class Unreadable(ValueError):
    """A line that holds no patient; ``rule`` names what it breaks, the text says how."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule, reason)  # both, so that it can be sent to another process
        self.rule = rule
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def identifier(domain: AffinityDomain, id: str, authority: HD, type_code: str) -> Identifier:
    """An id of one of the domain's authorities; Unreadable without an id, or for an authority of nobody."""
    if not id:
        raise Unreadable("identifier-id", "an identifier has no id")
    known = domain.authority(authority)
    if known is None:
        raise Unreadable("unknown-authority", _unknown(domain, authority))
    return Identifier(authority=known, id=id, type_code=type_code)


def read_identifiers(domain: AffinityDomain, text: str) -> tuple[Identifier, ...]:
    """Read ``4711^^^HOSPITAL^PI~1980051512345^^^&2.25.9&ISO^NI``, as PID-3 has it (HL7 v2.5: 2.A.14)."""
    return tuple(_read_identifier(domain, each) for each in text.split("~") if each)


def write_identifiers(identifiers: tuple[Identifier, ...]) -> str:
    """The text that ``read_identifiers`` reads, each authority by its namespace id if it has one."""
    return "~".join(map(_write_identifier, identifiers))


def _read_identifier(domain: AffinityDomain, text: str) -> Identifier:
    components = [*text.split("^"), "", "", "", ""]
    parts = [*(read_text(each, STANDARD) for each in components[3].split("&")), "", ""]
    return identifier(
        domain, read_text(components[0], STANDARD), HD(parts[0], parts[1], parts[2]), read_text(components[4], STANDARD)
    )


def _write_identifier(each: Identifier) -> str:
    name = write_text(each.authority.namespace_id, STANDARD) or f"&{each.authority.oid}&ISO"
    return f"{write_text(each.id, STANDARD)}^^^{name}^{write_text(each.type_code, STANDARD)}".rstrip("^")


def _unknown(domain: AffinityDomain, authority: HD) -> str:
    if authority == HD():
        return "an identifier names no assigning authority"
    breach = unknown_authority(domain, authority, "")
    return f"{breach.text}: {breach.observed}"
