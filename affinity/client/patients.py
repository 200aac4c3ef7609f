"""Patients as a consumer asks for them and as answers show them, whatever the wire."""

from dataclasses import dataclass

from ihe.datatypes import CX, HD
from ihe.identifiers import is_oid


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is known of a patient; an empty text: not asked. ``birth_date`` is YYYY[MM[DD]], ``sex`` of table 0001."""

    family: str = ""
    given: str = ""
    birth_date: str = ""
    sex: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    mothers_family: str = ""
    mothers_given: str = ""
    id: CX | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient as an answer shows them; what was not said is an empty text. ``match_degree`` is in percent."""

    identifiers: tuple[CX, ...]
    family: str = ""
    given: str = ""
    birth_date: str = ""
    sex: str = ""
    city: str = ""
    match_degree: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What an answer says about the question: code and its meaning, where, whether it is an error, the sentence."""

    code: str
    meaning: str = ""
    location: str = ""
    severity: str = "E"
    text: str = ""

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location else ""
        return f"{' '.join(filter(None, (self.code, self.meaning)))}{where}: {self.text}".removesuffix(": ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a query: the acknowledgement (AA, AE, AR), the query's outcome (OK, NF, AE, QE), and the patients.

    ``remaining``: how many more there are, None where the answer does not say.
    """

    code: str
    outcome: str
    patients: tuple[Patient, ...]
    remarks: tuple[Remark, ...]
    remaining: int | None = None

    @property
    def accepted(self) -> bool:
        """Claim that the question was answered, even if by "nobody"."""
        return self.code == "AA"

    @property
    def is_nobody(self) -> bool:
        """Claim that the question was answered by "nobody"."""
        return self.accepted and not self.patients


def parse_identifier(text: str) -> CX:
    """Read ``id^^^namespace&oid&ISO``, where the namespace or the OID may be absent. ValueError says what is wrong."""
    components = text.split("^")
    if len(components) < 4 or not components[0] or not components[3]:
        raise ValueError("an identifier has the form id^^^&oid&ISO or id^^^NAMESPACE")
    type_code = components[4] if len(components) > 4 else ""
    return CX(components[0], parse_authority(components[3]), type_code)


def parse_authority(text: str) -> HD:
    """Read ``namespace&oid&ISO``, a bare OID, or a bare namespace id. ValueError says what is wrong."""
    namespace, _, universal = text.partition("&")
    if not universal:
        return HD("", text, "ISO") if is_oid(text) else HD(text)
    oid, _, kind = universal.partition("&")
    if not is_oid(oid) or kind not in ("", "ISO"):
        raise ValueError("an assigning authority has the form NAMESPACE, OID or namespace&oid&ISO")
    return HD(namespace, oid, "ISO")
