"""Who takes part in an event: systems by their addresses, people by their assertion (ITI TF-2: 3.20.7.1, 3.40.4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from atna.model import ActiveParticipant, AuditSource, NetworkAccessPointTypeCode
from ihe.audit import DESTINATION, SOURCE
from ihe.datatypes import Code
from ihe.exchange import Principal

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
"""UserID of a SOAP client that wants its answer on the same connection."""
ORGANIZATION = Code("ORG", "2.16.840.1.113883.5.41", "Organisation of the requestor")
"""Role of the participant that is the organisation for which the human acts; HL7 EntityClass."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThisNode:
    """How records name this node: as their source, and as a participant by its process id and its host."""

    source: AuditSource
    process_id: str
    host: str


def system(
    user_id: str,
    host: str,
    *roles: Code,
    is_requestor: bool = False,
    alternative_user_id: str | None = None,
) -> ActiveParticipant:
    """A system at a network address."""
    return ActiveParticipant(
        user_id=user_id,
        alternative_user_id=alternative_user_id,
        is_requestor=is_requestor,
        roles=roles,
        network_access_point=host or None,
        network_access_point_type=_kind(host) if host else None,
    )


def as_source(participant: ActiveParticipant) -> ActiveParticipant:
    """The same as the system that the data come from."""
    return replace(participant, roles=(SOURCE,))


def as_destination(participant: ActiveParticipant) -> ActiveParticipant:
    """The same as the system that the data go to."""
    return replace(participant, roles=(DESTINATION,))


def people(principal: Principal | None) -> Iterator[ActiveParticipant]:
    """The human of a verified assertion, and the organisation for which they act.

    ``UserName`` is ``alias<user@issuer>`` (3.40.4.2), which leaves the alternative id for their own name.
    """
    if principal is None:
        return
    yield ActiveParticipant(
        user_id=principal.npi or principal.name_id,
        alternative_user_id=principal.subject_id,
        user_name=user_name(principal),
        is_requestor=True,
        roles=principal.roles,
    )
    if principal.organization_id or principal.organization:
        yield ActiveParticipant(
            user_id=next(iter(principal.organization_id or principal.organization)),
            user_name=next(iter(principal.organization), None),
            is_requestor=False,
            roles=(ORGANIZATION,),
        )


def user_name(principal: Principal) -> str:
    """``alias<user@issuer>`` (ITI TF-2: 3.40.4.2)."""
    return f"{principal.alias or ''}<{principal.name_id}@{principal.issuer}>"


def _kind(host: str) -> NetworkAccessPointTypeCode:
    try:
        ip_address(host)
    except ValueError:
        return NetworkAccessPointTypeCode.MACHINE_NAME
    return NetworkAccessPointTypeCode.IP_ADDRESS
