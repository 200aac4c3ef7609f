"""The audit records of patient feeds and queries in HL7 v3 (3.44.5.1, 3.45.5.1, 3.46.5.1, 3.47.5.1)."""

from collections.abc import Callable, Iterable, Iterator

from lxml.etree import _Element

from ihe.audit import PATIENT_RECORD, QUERY, Detail, EventActionCode, patient, query
from ihe.audited import Audit, Event, Recorded
from ihe.citations import Citation
from ihe.datatypes import Code
from ihe.exchange import SOAPRequest
from pix.v3_elements import InstanceIdentifier, child, instance_identifiers, name_of
from pix.v3_queries import CONTINUATION, PARAMETERS
from pix.v3_queries import QUERY as BY_PARAMETER
from pix.v3_registrations import PATIENT, PRIOR_ID
from pix.v3_wrappers import message_id
from soap.xml import serialize

ACTIONS = {"PRPA_IN201301UV02": EventActionCode.CREATE}
"""A record added; the other interactions revise one."""
MOST_IDS = 100
"""Ids that one event names; a message with more is refused."""


def fed(citation: Citation, type: Code) -> Audit:
    """Patient Identity Feed HL7 V3: of resolved duplicates, a deletion and an update (3.44.5.1)."""
    return Audit(
        citation=citation,
        event=PATIENT_RECORD,
        type=type,
        action=EventActionCode.UPDATE,
        describe=_feed,
        recorded=Recorded.WITH_THE_CHANGE,
        tells_the_request_alone=True,
    )


def identifiers_queried(citation: Citation, type: Code) -> Audit:
    """PIXV3 Query: the patient asked for, and the parameters (3.45.5.1.2)."""
    return _queried(citation, type, lambda body: _ids(body, f"{PARAMETERS}/patientIdentifier/value"))


def demographics_queried(citation: Citation, type: Code) -> Audit:
    """Patient Demographics Query HL7 V3: the ids that are searched, and the parameters (3.47.5.1.2)."""
    return _queried(citation, type, lambda body: _ids(body, f"{PARAMETERS}/livingSubjectId/value"))


def _queried(citation: Citation, type: Code, patients: Callable[[_Element], Iterable[str]]) -> Audit:
    def describe(wire: SOAPRequest, _request: object, _result: object) -> Iterator[Event]:
        named = tuple(patients(wire.body))
        whose = (patient(named),) if named else ()
        asked = next(filter(_is_there, (child(wire.body, each) for each in (BY_PARAMETER, CONTINUATION))), wire.body)
        assert asked is not None
        yield Event(objects=(*whose, query(type, serialize(asked), _message_id(wire.body))))

    return Audit(citation=citation, event=QUERY, type=type, action=EventActionCode.EXECUTE, describe=describe)


def _is_there(element: _Element | None) -> bool:
    return element is not None


def _feed(wire: SOAPRequest, _request: object, _result: object) -> Iterator[Event]:
    subsumed = tuple(_ids(wire.body, PRIOR_ID))
    if subsumed:
        yield Event(objects=(patient(subsumed, _message_id(wire.body)),), action=EventActionCode.DELETE)
    named = tuple(_ids(wire.body, f"{PATIENT}/id"))
    whose = (patient(named, _message_id(wire.body)),) if named else ()
    yield Event(objects=whose, action=ACTIONS.get(name_of(wire.body), EventActionCode.UPDATE))


def _ids(body: _Element, path: str) -> Iterator[str]:
    return (cx_text(each) for each in instance_identifiers(body, path)[:MOST_IDS])


def cx_text(identifier: InstanceIdentifier) -> str:
    """An II as CX (ITI TF-2: E.2)."""
    return f"{identifier.extension}^^^&{identifier.root}&ISO"


def _message_id(body: _Element) -> Detail:
    return Detail("II", str(message_id(body)).encode())
