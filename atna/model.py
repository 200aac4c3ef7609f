"""The audit message as a value (ITI TF-2: 3.20.7.1; DICOM PS3.15 A.5).

Every coded value is a ``Code``: its code is the attribute ``csd-code``, its scheme ``codeSystemName`` and its display
``originalText``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from ihe.audit import Detail as Detail
from ihe.audit import EventActionCode as EventActionCode
from ihe.audit import EventOutcomeIndicator as EventOutcomeIndicator
from ihe.audit import ParticipantObject as ParticipantObject
from ihe.datatypes import Code


class NetworkAccessPointTypeCode(IntEnum):
    """How a NetworkAccessPointID names a machine."""

    MACHINE_NAME = 1
    IP_ADDRESS = 2
    TELEPHONE_NUMBER = 3
    EMAIL_ADDRESS = 4
    URI = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class EventIdentification:
    """What happened, when, how it ended, and for which purpose. ``time`` is aware."""

    id: Code
    action: EventActionCode | None
    time: datetime
    outcome: EventOutcomeIndicator
    types: tuple[Code, ...] = ()
    outcome_description: str | None = None
    purpose_of_use: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveParticipant:
    """A person or a system that took part. ``media`` is the MediaType of an export."""

    user_id: str
    is_requestor: bool
    alternative_user_id: str | None = None
    user_name: str | None = None
    roles: tuple[Code, ...] = ()
    media: Code | None = None
    network_access_point: str | None = None
    network_access_point_type: NetworkAccessPointTypeCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSource:
    """Who wrote the record. A type is a ``Code``, often with neither scheme nor display."""

    id: str
    enterprise_site_id: str | None = None
    types: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMessage:
    """One audit record; ``atna.dicom`` writes and reads it."""

    event: EventIdentification
    participants: tuple[ActiveParticipant, ...]
    source: AuditSource
    objects: tuple[ParticipantObject, ...] = ()
