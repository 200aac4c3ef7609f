"""The events that are no transaction: Table 3.20.4.1.1.1-1, with the codes of DICOM PS3.16 CID 400 and 401.

Make one and give it to ``AuditTrail.record``, or to ``append`` with the change that it is about.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from atna.model import ActiveParticipant, AuditMessage, EventActionCode, EventIdentification, EventOutcomeIndicator
from atna.participants import ThisNode, as_destination, as_source, people, system
from ihe.audit import (
    DCM,
    EXPORT,
    LOGIN,
    USER_AUTHENTICATION,
    ObjectDataLifeCycle,
    ObjectTypeCode,
    ObjectTypeCodeRole,
    ParticipantObject,
    patient,
)
from ihe.datatypes import Code
from ihe.exchange import Principal

APPLICATION_ACTIVITY = Code("110100", DCM, "Application Activity")
AUDIT_LOG_USED = Code("110101", DCM, "Audit Log Used")
SECURITY_ALERT = Code("110113", DCM, "Security Alert")
STARTED = Code("110120", DCM, "Application Start")
STOPPED = Code("110121", DCM, "Application Stop")
NODE_AUTHENTICATION = Code("110126", DCM, "Node Authentication")
EMERGENCY_OVERRIDE_STARTED = Code("110127", DCM, "Emergency Override Started")
EMERGENCY_OVERRIDE_STOPPED = Code("110138", DCM, "Emergency Override Stopped")
NETWORK_CONFIGURATION = Code("110128", DCM, "Network Configuration")
SECURITY_CONFIGURATION = Code("110129", DCM, "Security Configuration")
SOFTWARE_CONFIGURATION = Code("110131", DCM, "Software Configuration")
USE_OF_RESTRICTED_FUNCTION = Code("110132", DCM, "Use of Restricted Function")
OBJECT_SECURITY_CHANGED = Code("110135", DCM, "Object Security Attributes Changed")
SECURITY_ROLES_CHANGED = Code("110136", DCM, "Security Roles Changed")
USER_SECURITY_CHANGED = Code("110137", DCM, "User security Attributes Changed")
LOCAL_SERVICE_STARTED = Code("110141", DCM, "Local Service Operation Started")
APPLICATION = Code("110150", DCM, "Application")
LAUNCHER = Code("110151", DCM, "Application Launcher")
ALERT_SUBJECT = Code("12", "RFC-3881", "URI")
AUDIT_LOG = Code("12", "RFC-3881", "URI")

SUCCESS, FAILURE = EventOutcomeIndicator.SUCCESS, EventOutcomeIndicator.MINOR_FAILURE


def started(node: ThisNode, at: datetime) -> AuditMessage:
    """The node serves from now on."""
    return _activity(node, at, STARTED)


def stopped(node: ThisNode, at: datetime) -> AuditMessage:
    """The node serves no more."""
    return _activity(node, at, STOPPED)


def authentication_failed(
    node: ThisNode,
    at: datetime,
    peer: str,
    reason: str,
    asked: Code | None = None,
    certificate: str | None = None,
    kind: Code = USER_AUTHENTICATION,
) -> AuditMessage:
    """An assertion that proves nobody: the precise reason, which its sender is not told. ``asked`` is a transaction.

    ``kind`` SECURITY_ALERT: somebody may have forged it.
    """
    return _message(
        node,
        _event(at, kind, (LOGIN, *((asked,) if asked else ())), FAILURE, reason),
        (
            as_source(system(certificate or peer, peer, is_requestor=True)),
            as_destination(_this(node)),
        ),
    )


def node_authentication_failed(
    node: ThisNode, at: datetime, peer: str, reason: str, certificate: str | None = None
) -> AuditMessage:
    """A TLS handshake failed, or a partner is not who it should be (Node-Authentication-failure)."""
    other = system(certificate or peer, peer, is_requestor=True)
    return security_alert(node, at, NODE_AUTHENTICATION, reason, by=(other,), outcome=FAILURE)


def security_alert(
    node: ThisNode,
    at: datetime,
    kind: Code,
    reason: str,
    *,
    by: Iterable[ActiveParticipant] = (),
    objects: Iterable[ParticipantObject] = (),
    outcome: EventOutcomeIndicator = SUCCESS,
) -> AuditMessage:
    """Anything that a security officer must see; ``kind`` says what (CID 401)."""
    return _message(node, _event(at, SECURITY_ALERT, (kind,), outcome, reason), (*by, _this(node)), objects)


def emergency_access(
    node: ThisNode, at: datetime, principal: Principal, patient_ids: tuple[str, ...], reason: str
) -> AuditMessage:
    """Break-glass: somebody opens a record that is closed to them, and says why."""
    event = _event(at, SECURITY_ALERT, (EMERGENCY_OVERRIDE_STARTED,), SUCCESS, reason)
    said = replace(event, purpose_of_use=principal.purpose_of_use)
    return _message(node, said, (*people(principal), _this(node)), (patient(patient_ids),))


def configuration_changed(node: ThisNode, at: datetime, kind: Code, user: str, what: str) -> AuditMessage:
    """Somebody changed how the node is set up; ``what`` says it in words, without secrets."""
    return security_alert(node, at, kind, what, by=(operator(user),))


def console_used(
    node: ThisNode,
    at: datetime,
    user: str,
    what: str,
    objects: Iterable[ParticipantObject] = (),
    outcome: EventOutcomeIndicator = SUCCESS,
) -> AuditMessage:
    """Somebody worked on the data by a command or by the stewards' desk, not by a transaction."""
    event = _event(at, APPLICATION_ACTIVITY, (LOCAL_SERVICE_STARTED,), outcome, what)
    return _message(node, event, (operator(user), _this(node)), objects)


def exported(node: ThisNode, at: datetime, user: str, what: str, file: str) -> AuditMessage:
    """Data of patients left the node in a file (PHI-export)."""
    destination = ParticipantObject(
        id=file,
        id_type=ALERT_SUBJECT,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.DATA_DESTINATION,
        life_cycle=ObjectDataLifeCycle.EXPORT,
    )
    event = _event(at, EXPORT, (LOCAL_SERVICE_STARTED,), SUCCESS, what, EventActionCode.READ)
    return _message(node, event, (operator(user), as_source(_this(node))), (destination,))


def audit_log_used(node: ThisNode, at: datetime, user: str, what: str) -> AuditMessage:
    """Somebody read the audit trail (Audit-Log-Used)."""
    log = ParticipantObject(
        id=f"{node.source.id}/audit",
        id_type=AUDIT_LOG,
        type_code=ObjectTypeCode.SYSTEM_OBJECT,
        role=ObjectTypeCodeRole.SECURITY_RESOURCE,
        name="Security Audit Log",
    )
    event = _event(at, AUDIT_LOG_USED, (), SUCCESS, what, EventActionCode.READ)
    return _message(node, event, (operator(user), _this(node)), (log,))


def operator(user: str) -> ActiveParticipant:
    """A human at the console or at the desk, by their account."""
    return ActiveParticipant(user_id=user, is_requestor=True)


def _activity(node: ThisNode, at: datetime, kind: Code) -> AuditMessage:
    return _message(node, _event(at, APPLICATION_ACTIVITY, (kind,), SUCCESS, None), (_this(node),))


def _this(node: ThisNode) -> ActiveParticipant:
    return system(node.source.id, node.host, APPLICATION, alternative_user_id=node.process_id)


def _event(
    at: datetime,
    id: Code,
    types: tuple[Code, ...],
    outcome: EventOutcomeIndicator,
    description: str | None,
    action: EventActionCode = EventActionCode.EXECUTE,
) -> EventIdentification:
    return EventIdentification(
        id=id, action=action, time=at, outcome=outcome, types=types, outcome_description=description
    )


def _message(
    node: ThisNode,
    event: EventIdentification,
    participants: Iterable[ActiveParticipant],
    objects: Iterable[ParticipantObject] = (),
) -> AuditMessage:
    return AuditMessage(event=event, participants=tuple(participants), source=node.source, objects=tuple(objects))
