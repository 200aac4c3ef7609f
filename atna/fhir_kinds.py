"""Of which kind each element of an AuditEvent is that is read here (FHIR R4: AuditEvent)."""

from collections.abc import Mapping
from typing import Any

Kind = type | Mapping[str, "Kind"] | list["Kind"]
"""Of a value: text or truth, the elements of an object that are read, or that of everything in a list."""

CODING: Kind = {"system": str, "code": str, "display": str, "extension": [{"url": str, "valueString": str}]}
CONCEPT: Kind = {"coding": [CODING], "text": str}
IDENTIFIER: Kind = {"type": CONCEPT, "system": str, "value": str, "assigner": {"display": str}}
REFERENCE: Kind = {"identifier": IDENTIFIER, "reference": str, "display": str}
AGENT: Kind = {
    "type": CONCEPT,
    "role": [CONCEPT],
    "who": REFERENCE,
    "altId": str,
    "name": str,
    "requestor": bool,
    "media": CODING,
    "network": {"address": str, "type": str},
}
SOURCE: Kind = {"site": str, "observer": REFERENCE, "type": [CODING]}
ENTITY: Kind = {
    "what": REFERENCE,
    "type": CODING,
    "role": CODING,
    "lifecycle": CODING,
    "securityLabel": [CODING],
    "name": str,
    "query": str,
    "detail": [{"type": str, "valueString": str, "valueBase64Binary": str}],
}
AUDIT_EVENT: Kind = {
    "type": CODING,
    "subtype": [CODING],
    "action": str,
    "recorded": str,
    "outcome": str,
    "outcomeDesc": str,
    "purposeOfEvent": [CONCEPT],
    "agent": [AGENT],
    "source": SOURCE,
    "entity": [ENTITY],
}


class WrongKind(TypeError):
    """A value that is not of the kind of its element, which the text names."""


def check(value: Any, kind: Kind = AUDIT_EVENT, where: str = "AuditEvent") -> None:
    """Raise WrongKind where a value is not of its kind; whether it is there, and what it says, is not looked at."""
    if isinstance(kind, type):
        _expect(value, kind, where)
    elif isinstance(kind, list):
        _expect(value, list, where)
        for each in value:
            check(each, kind[0], where)
    else:
        _expect(value, dict, where)
        for name in kind.keys() & value.keys():
            check(value[name], kind[name], f"{where}.{name}")


def _expect(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind):
        raise WrongKind(where)
