"""How an audit message departs from the schema of DICOM PS3.15 A.5 though it can be read (ITI TF-2: 3.20.7.1).

An Audit Record Repository keeps what partners really send; these sentences say what a partner has to mend.
"""

from collections.abc import Callable, Iterator

from lxml.etree import _Element

CODED = (
    "EventID",
    "EventTypeCode",
    "PurposeOfUse",
    "RoleIDCode",
    "MediaType",
    "ParticipantObjectIDTypeCode",
)
"""Elements of CodedValueType; that of AuditSourceTypeCode alone may lack scheme and text."""


def departures(root: _Element) -> tuple[str, ...]:
    """A sentence for each rule that is broken, in the order of the rules."""
    return tuple(sentence for sentence, breaks in RULES if any(breaks(root)))


def _old_codes(root: _Element) -> Iterator[bool]:
    coded = [*_coded(root), *root.iter("AuditSourceTypeCode")]
    return (each.get("csd-code") is None and each.get("code") is not None for each in coded)


def _half_codes(root: _Element) -> Iterator[bool]:
    return (not (each.get("codeSystemName") and each.get("originalText")) for each in _coded(root))


def _coded(root: _Element) -> list[_Element]:
    return list(root.iter(*CODED))


def _silent_participants(root: _Element) -> Iterator[bool]:
    return (each.get("UserIsRequestor") is None for each in root.iter("ActiveParticipant"))


def _nobody(root: _Element) -> Iterator[bool]:
    yield root.find("ActiveParticipant") is None


def _points_without_type(root: _Element) -> Iterator[bool]:
    names = ("NetworkAccessPointID", "NetworkAccessPointTypeCode")
    return ((each.get(names[0]) is None) != (each.get(names[1]) is None) for each in root.iter("ActiveParticipant"))


def _objects_without_id(root: _Element) -> Iterator[bool]:
    return (each.get("ParticipantObjectID") is None for each in root.iter("ParticipantObjectIdentification"))


def _source_in_old_form(root: _Element) -> Iterator[bool]:
    return (each.get("code") is not None for each in root.iter("AuditSourceIdentification"))


def _names_and_queries(root: _Element) -> Iterator[bool]:
    both = ("ParticipantObjectName", "ParticipantObjectQuery")
    return (all(each.find(name) is not None for name in both) for each in root.iter("ParticipantObjectIdentification"))


RULES: tuple[tuple[str, Callable[[_Element], Iterator[bool]]], ...] = (
    ("codes are in the attribute code of RFC 3881, not in csd-code", _old_codes),
    ("a code lacks codeSystemName or originalText (ITI TF-2: 3.20.7.1.3)", _half_codes),
    ("an ActiveParticipant lacks UserIsRequestor", _silent_participants),
    ("there is no ActiveParticipant", _nobody),
    ("of NetworkAccessPointID and NetworkAccessPointTypeCode one is missing", _points_without_type),
    ("a ParticipantObjectIdentification lacks ParticipantObjectID", _objects_without_id),
    ("AuditSourceIdentification has the attribute code of RFC 3881, not AuditSourceTypeCode", _source_in_old_form),
    ("a ParticipantObjectName stands beside a ParticipantObjectQuery", _names_and_queries),
)
