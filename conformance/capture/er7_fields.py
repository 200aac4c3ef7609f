"""Where HL7 v2 messages have data of people (HL7 v2.5: 3.4, 6.5; ITI TF-2: 3.8, 3.9, 3.21), and how they are rewritten.

Everything else of a message stays as it stands, byte for byte.
"""

import re
from collections.abc import Callable, Mapping

from conformance.capture.pseudonyms import Kind
from hl7v2.encoding import NULL, STANDARD, Encoding, read_text, write_text

Replace = Callable[[Kind | None, str], str]
"""The new value of a value; kind None: it is nothing that is taken out where it stands."""
Positions = Mapping[int, Kind]
"""Component to kind; 0: all of them."""

CX: Positions = {1: Kind.ID}
XPN: Positions = {1: Kind.NAME, 2: Kind.NAME, 3: Kind.NAME}
XCN: Positions = {1: Kind.ID, 2: Kind.NAME, 3: Kind.NAME, 4: Kind.NAME}
XAD: Positions = {1: Kind.PLACE, 2: Kind.PLACE, 3: Kind.PLACE, 5: Kind.PLACE, 8: Kind.PLACE}
XTN: Positions = {1: Kind.PLACE, 4: Kind.PLACE, 6: Kind.PLACE, 7: Kind.PLACE, 8: Kind.PLACE, 12: Kind.PLACE}
TS: Positions = {1: Kind.DATE}
ST: Positions = {0: Kind.PLACE}
ID: Positions = {0: Kind.ID}
TEXT: Positions = {0: Kind.TEXT}

PID = {2: CX, 3: CX, 4: CX, 5: XPN, 6: XPN, 7: TS, 9: XPN, 11: XAD, 12: ST, 13: XTN, 14: XTN, 18: CX, 19: ID, 20: CX}
PID |= {21: CX, 23: ST, 29: TS}
FIELDS: Mapping[str, Mapping[int, Positions]] = {
    "PID": PID,
    "MRG": {1: CX, 2: CX, 3: CX, 4: CX, 5: CX, 6: CX, 7: XPN},
    "NK1": {2: XPN, 4: XAD, 5: XTN, 6: XTN, 16: TS, 30: XPN, 31: XTN, 32: XAD, 33: CX},
    "GT1": {2: CX, 3: XPN, 4: XPN, 5: XAD, 6: XTN, 7: XTN, 8: TS, 12: ID, 16: XPN, 17: XAD, 18: XTN, 19: CX},
    "IN1": {2: CX, 16: XPN, 18: TS, 19: XAD, 36: ID, 49: CX},
    "IN2": {1: CX, 2: ID, 6: ID, 7: XPN, 8: ID, 9: XPN, 40: XPN},
    "PV1": {19: CX, 50: CX},
    "OBR": {2: CX, 3: CX, 13: TEXT, 39: TEXT},
    "ORC": {2: CX, 3: CX},
    "TXA": {12: CX, 13: CX},
}
AUTHORS: Mapping[str, Mapping[int, Positions]] = {
    "EVN": {5: XCN},
    "PD1": {4: XCN},
    "PV1": {7: XCN, 8: XCN, 9: XCN, 17: XCN, 52: XCN},
    "OBR": {10: XCN, 16: XCN, 28: XCN, 32: XCN, 33: XCN, 34: XCN, 35: XCN},
    "ORC": {10: XCN, 11: XCN, 12: XCN},
    "OBX": {16: XCN},
    "ROL": {4: XCN},
    "TXA": {5: XCN, 9: XCN, 10: XCN, 11: XCN},
}
TEXTS: Mapping[str, Mapping[int, Positions]] = {"NTE": {3: TEXT}, "OBX": {5: TEXT}, "DG1": {4: TEXT}, "AL1": {5: TEXT}}
CODED = frozenset({"NM", "SN", "CE", "CWE", "CNE", "DT", "TM", "TS", "DTM"})
"""Types of OBX-5 that are no text."""
PARAMETER = re.compile(r"@(\w{3})\.(\d+)(?:\.(\d+))?(?:\.\d+)?")
"""A field in a query: ``@PID.5.1.1``."""
HEADERS = ("MSH", "FHS", "BHS")


def rewrite(message: str, encoding: Encoding, replace: Replace, *, authors: bool, texts: bool) -> str:
    """Rewrite the values of a message; its segments may end in CR, LF or both."""
    pieces = re.split(r"(\r\n|\r|\n)", message)
    return "".join(
        _segment(each, encoding, replace, authors=authors, texts=texts) if index % 2 == 0 else each
        for index, each in enumerate(pieces)
    )


def rewrite_field(field: str, segment: str, number: int, replace: Replace) -> str:
    """Rewrite one field that stands alone, as in sourcePatientInfo (ITI TF-3: 4.2.3.2.23)."""
    return _field(field, FIELDS.get(segment, {}).get(number, {}), STANDARD, replace)


def rewrite_as(value: str, positions: Positions, replace: Replace) -> str:
    """Rewrite one value of a data type that stands alone, as an id of a patient in ebRIM."""
    return _repetition(value, positions, STANDARD, replace)


def _segment(segment: str, encoding: Encoding, replace: Replace, *, authors: bool, texts: bool) -> str:
    name = segment[:3]
    parts = segment.split(encoding.field)
    known = dict(FIELDS.get(name, {}))
    known |= AUTHORS.get(name, {}) if authors else {}
    is_text = name != "OBX" or (parts[2:3] or [""])[0] not in CODED
    known |= TEXTS.get(name, {}) if texts and is_text else {}
    first = 2 if name in HEADERS else 1
    for index in range(first, len(parts)):
        positions = TEXT if name.startswith("Z") and texts else known.get(index + (name in HEADERS), {})
        if name == "QPD" and index >= 3:
            parts[index] = encoding.repetition.join(
                _parameter(each, encoding, replace) for each in parts[index].split(encoding.repetition)
            )
        else:
            parts[index] = _field(parts[index], positions, encoding, replace)
    return encoding.field.join(parts)


def _parameter(repetition: str, encoding: Encoding, replace: Replace) -> str:
    """``@PID.3.1^4711``, or the identifier of a PIX query."""
    name, component, value = repetition.partition(encoding.component)
    found = PARAMETER.fullmatch(name)
    if found is None:
        return _field(repetition, CX, encoding, replace)
    positions = FIELDS.get(found[1], {}).get(int(found[2]), {})
    kind = positions.get(int(found[3] or 1), positions.get(0))
    return name + component + _field(value, {0: kind} if kind else {}, encoding, replace)


def _field(field: str, positions: Positions, encoding: Encoding, replace: Replace) -> str:
    repetitions = field.split(encoding.repetition)
    return encoding.repetition.join(_repetition(each, positions, encoding, replace) for each in repetitions)


def _repetition(repetition: str, positions: Positions, encoding: Encoding, replace: Replace) -> str:
    components = repetition.split(encoding.component)
    for index, each in enumerate(components):
        kind = positions.get(index + 1, positions.get(0))
        components[index] = _component(each, kind, encoding, replace)
    return encoding.component.join(components)


def _component(component: str, kind: Kind | None, encoding: Encoding, replace: Replace) -> str:
    pieces = component.split(encoding.subcomponent) if encoding.subcomponent else [component]
    return (encoding.subcomponent or "").join(_value(each, kind, encoding, replace) for each in pieces)


def _value(raw: str, kind: Kind | None, encoding: Encoding, replace: Replace) -> str:
    if raw in ("", NULL):
        return raw
    value = read_text(raw, encoding)
    new = replace(kind, value)
    return raw if new == value else write_text(new, encoding)
