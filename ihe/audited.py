"""How a transaction is audited: a value beside its declaration, as its section "Security Considerations" prints it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ihe.audit import EventActionCode, EventOutcomeIndicator, ParticipantObject
from ihe.citations import Citation
from ihe.datatypes import Code


class Recorded(Enum):
    """When the record of a success is written."""

    WITH_THE_CHANGE = "in the database transaction that makes the change"
    BEFORE_THE_ANSWER = "in a transaction of its own, before the answer leaves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record of an exchange. ``action`` None: that of the transaction. ``outcome`` of a refusal is not asked."""

    objects: tuple[ParticipantObject, ...] = ()
    action: EventActionCode | None = None
    outcome: EventOutcomeIndicator = EventOutcomeIndicator.SUCCESS
    description: str | None = None


Describe = Callable[[Any, Any, Any], Iterable[Event]]
"""The events of an exchange: one for each patient, one for each outcome of its parts (ITI TF-2: 3.20.7.1).

It is given the wire request, the decoded request (None where it could not be decoded) and the result: what the change
returned where it is recorded with the change, else what ``handle`` returned; None for a request that was refused.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audit:
    """The audit record that the responder of a transaction writes.

    ``event`` is the EventID and ``type`` the EventTypeCode. ``answers_as_source``: the data go from the responder to
    the initiator, so that the responder is the Source and the initiator the Destination (ITI TF-2: 3.43.6.1.2).
    ``tells_the_request_alone``: ``describe`` does not look at the response, so that what is recorded with a change can
    be worked out before it.
    """

    citation: Citation
    event: Code
    type: Code
    action: EventActionCode
    describe: Describe
    recorded: Recorded = Recorded.BEFORE_THE_ANSWER
    answers_as_source: bool = False
    tells_the_request_alone: bool = False
