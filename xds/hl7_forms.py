"""The HL7 v2.5 data types as Document Sharing restricts them (ITI TF-3: Table 4.2.3.1.7-2): what is wrong with a text.

Each function gives a sentence, or None where the text is right. Lengths that HL7 sets are not enforced (4.2.3.1.7).
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps

from ihe.datatypes import DTM, has_its_day, parse_patient_id
from ihe.identifiers import is_oid

_ESCAPE = re.compile(r"\\[FSRTE]\\")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3}|[A-Za-z]{4,8}|[xXiI])(-[A-Za-z0-9]{1,8})*")
_FIELD = re.compile(r"PID-(?P<number>[1-9][0-9]?)\|(?P<value>.*)", re.DOTALL)
_LAST_PID_FIELD = 39
_REMEMBERED, _SHORT = 2048, 256
"""How many verdicts a form remembers, and on texts of how many characters at most."""
_WITH_AUTHORITY = frozenset(
    {
        "urn:ihe:iti:xds:2013:referral",
        "urn:ihe:iti:xds:2013:order",
        "urn:ihe:iti:xds:2015:encounterId",
    }
)
_WITHOUT_AUTHORITY = frozenset({"urn:ihe:iti:xdw:2013:workflowInstanceId", "urn:ihe:iti:xds:2016:studyInstanceUID"})


Form = Callable[[str], str | None]


def _remembered(form: Form) -> Form:
    """The same form: those who write, and where, are named again and again."""
    known = lru_cache(maxsize=_REMEMBERED)(form)

    @wraps(form)
    def judge(text: str) -> str | None:
        return known(text) if len(text) <= _SHORT else form(text)

    return judge


def dtm(text: str) -> str | None:
    """DTM: YYYY[MM[DD[hh[mm[ss]]]]], a time that the calendar has."""
    if not DTM.fullmatch(text):
        return "a time has the form YYYY[MM[DD[hh[mm[ss]]]]] in UTC, with digits alone"
    return None if has_its_day(text) else "the calendar has no such day"


def language(text: str) -> str | None:
    """A language identifier (RFC 5646)."""
    return None if _LANGUAGE.fullmatch(text) else "a language is a tag of RFC 5646, for example fr-LU"


def authority(text: str) -> str | None:
    """An assigning authority as CX.4: ``&oid&ISO``."""
    parts = text.split("&")
    right = len(parts) == 3 and not parts[0] and is_oid(parts[1]) and parts[2] == "ISO"
    return None if right else "an assigning authority has the form &oid&ISO"


@_remembered
def xcn(text: str) -> str | None:
    """XCN, a person or a machine: at least an identifier or a last name."""
    parts = _components(text)
    if not parts[0] and not parts[1]:
        return "a person has an identifier (XCN.1) or a last name (XCN.2)"
    return authority(parts[8]) if parts[8] else _escapes(text)


@_remembered
def xon(text: str) -> str | None:
    """XON, an organisation: the name, and an identifier that is an OID or has an assigning authority."""
    parts = _components(text)
    if not parts[0]:
        return "an organisation has a name (XON.1)"
    if _beyond(parts, (1, 6, 10)):
        return "an organisation has no components other than XON.1, XON.6 and XON.10"
    if parts[9] and not is_oid(parts[9]):
        return authority(parts[5]) and "an organisation's id that is no OID has its authority in XON.6 as &oid&ISO"
    return _escapes(text)


@_remembered
def xtn(text: str) -> str | None:
    """XTN, an electronic mail address or a telephone number."""
    parts = _components(text)
    if parts[2] == "Internet":
        right = parts[3] and parts[1] in ("", "NET") and not _beyond(parts, (2, 3, 4))
        return _escapes(text) if right else "an electronic mail address has the form ^NET^Internet^name@example.org"
    right = parts[2] and parts[6] and not _beyond(parts, (2, 3, 5, 6, 7, 8))
    return _escapes(text) if right else "a telephone number has XTN.3 and XTN.7, as in ^PRS^PH^^^^+352 4711"


def cxi(text: str) -> str | None:
    """CXi, an identifier of a referenced object: ``id^^^authority^type``."""
    parts = text.split("^")
    if len(parts) != 5 or not parts[0] or parts[1] or parts[2] or not parts[4]:
        return "a reference id has the form id^^^authority^type"
    if parts[4] in _WITHOUT_AUTHORITY and (parts[3] or not is_oid(parts[0])):
        return f"an identifier of type {parts[4]} is an OID without assigning authority"
    if parts[4] in _WITH_AUTHORITY and not parts[3]:
        return f"an identifier of type {parts[4]} has an assigning authority"
    return authority(parts[3]) if "&" in parts[3] else _escapes(text)


@_remembered
def intended_recipient(text: str) -> str | None:
    """XON|XCN|XTN, at least one of them (4.2.3.3.7)."""
    parts = text.split("|")
    if len(parts) > 3 or not any(parts):
        return "a recipient has the form organisation|person|telecommunication, at least one of them"
    checked = zip((xon, xcn, xtn), parts, strict=False)
    return next((fault for check, part in checked if part and (fault := check(part))), None)


def patient_field(text: str) -> str | None:
    """A field of the PID segment: ``PID-5|Doe^Jane`` (4.2.3.2.23)."""
    match = _FIELD.fullmatch(text)
    if match is None or int(match["number"]) > _LAST_PID_FIELD:
        return "a value has the form PID-n|value, with a field of the PID segment"
    if match["number"] == "7" and match["value"]:
        return dtm(match["value"])
    if match["number"] == "3":
        return _patient_ids(match["value"].split("~"))
    return _escapes(text) if "\\" in text else None


def _patient_ids(texts: Iterable[str]) -> str | None:
    for text in filter(None, texts):
        try:
            parse_patient_id(text)
        except ValueError as error:
            return f"PID-3: {error}"
    return None


def _components(text: str) -> list[str]:
    """The components, padded; trailing delimiters are ignored."""
    parts = text.rstrip("^").split("^")
    return parts + [""] * (10 - len(parts))


def _beyond(parts: list[str], allowed: tuple[int, ...]) -> bool:
    return any(part for position, part in enumerate(parts, 1) if position not in allowed)


def _escapes(text: str) -> str | None:
    r"""Only ``\F\ \S\ \R\ \T\ \E\`` are allowed (4.2.3.1.7)."""
    return (
        r"a backslash is written \E\, and no other escapes than \F\ \S\ \R\ \T\ are used"
        if ("\\" in _ESCAPE.sub("", text))
        else None
    )
