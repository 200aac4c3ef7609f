"""HL7 v2 data types as Document Sharing metadata spells them (ITI TF-3: Table 4.2.3.1.7-2)."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ihe.identifiers import is_oid

DTM = re.compile(
    r"(?P<year>\d{4})((?P<month>0[1-9]|1[0-2])((?P<day>0[1-9]|[12]\d|3[01])"
    r"((?P<hour>[01]\d|2[0-3])((?P<minute>[0-5]\d)((?P<second>[0-5]\d))?)?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class HD:
    """Hierarchic designator: who assigned an id. ``universal_id_type`` is ``ISO`` for OIDs."""

    namespace_id: str = ""
    universal_id: str = ""
    universal_id_type: str = ""


@dataclass(frozen=True, slots=True)
class CX:
    """An identifier with the authority that assigned it."""

    id: str
    authority: HD
    type_code: str = ""

    def __str__(self) -> str:
        """Spell the XDS form ``id^^^&oid&ISO`` (ITI TF-3: Table 4.2.3.1.7-2, CX)."""
        return f"{self.id}^^^&{self.authority.universal_id}&ISO"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded value: code, coding scheme (an OID or a name), display name. Equality ignores the display name."""

    code: str
    scheme: str
    display: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and (self.code, self.scheme) == (other.code, other.scheme)

    def __hash__(self) -> int:
        return hash((self.code, self.scheme))

    def __str__(self) -> str:
        return f"{self.code}^^{self.scheme}"


def parse_patient_id(text: str) -> CX:
    """Read exactly ``id^^^&oid&ISO``; ValueError says what differs (ITI TF-3: Table 4.2.3.1.7-2, CX)."""
    components = text.split("^")
    if len(components) != 4 or components[1] or components[2] or not components[0]:
        raise ValueError("a patient id has the form id^^^&oid&ISO with nothing else")
    return CX(components[0], _authority(components[3]))


@lru_cache(maxsize=256)
def _authority(text: str) -> HD:
    """Read exactly ``&oid&ISO``: a domain has few."""
    parts = text.split("&")
    if len(parts) != 3 or parts[0] or parts[2] != "ISO" or not is_oid(parts[1]):
        raise ValueError("the assigning authority of a patient id has the form &oid&ISO")
    return HD("", parts[1], "ISO")


def is_dtm(text: str) -> bool:
    """Claim that ``text`` is YYYY[MM[DD[hh[mm[ss]]]]] (ITI TF-3: Table 4.2.3.1.7-2, DTM)."""
    return DTM.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Claim that ``text`` is a DTM, and that the calendar has its day: neither 30 February nor the year 0."""
    return text.isascii() and is_dtm(text) and has_its_day(text)


def has_its_day(dtm: str) -> bool:
    """Claim that the calendar has the day of a DTM, or the first of its month or year."""
    try:
        date(int(dtm[:4]), int(dtm[4:6] or 1), int(dtm[6:8] or 1))
    except ValueError:
        return False
    return True


def earliest(dtm: str) -> str:
    """The first second that a DTM of any precision covers, as 14 digits."""
    return dtm + "00000101000000"[len(dtm) :]
