"""What is recorded of a Retrieve ATNA Audit Event [ITI-81] (ITI Suppl. RESTful ATNA: 3.81.5.1)."""

from dataclasses import replace
from datetime import datetime

from atna.events import audit_log_used
from atna.model import ActiveParticipant, AuditMessage
from atna.participants import ThisNode, as_destination, as_source, system
from ihe.datatypes import Code

RETRIEVE = Code("ITI-81", "IHE Transactions", "Retrieve ATNA AuditEvent")


def retrieved(node: ThisNode, at: datetime, consumer: str, peer: str, url: str, query: str) -> AuditMessage:
    """Somebody searches or reads the trail: who by the name of the token, from where, and with which words."""
    used = audit_log_used(node, at, consumer, "audit events retrieved")
    return replace(
        used,
        event=replace(used.event, types=(RETRIEVE,), outcome_description=None),
        participants=(
            as_source(system(consumer, peer)),
            ActiveParticipant(user_id=consumer, is_requestor=True),
            as_destination(system(url, node.host, alternative_user_id=node.process_id)),
        ),
        objects=tuple(replace(each, id=url, name=None, query=query.encode()) for each in used.objects),
    )
