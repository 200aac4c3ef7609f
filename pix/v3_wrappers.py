"""Transmission and control act wrappers of HL7 v3 messages (ITI TF-2: Appendix O).

Not checked, because IHE's own sample messages break it: processingModeCode (SHALL be T) and acceptAckCode; an absent
trigger event code is taken from the interaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree
from lxml.etree import _Element

from ihe.citations import tf2
from ihe.datatypes import is_time
from ihe.errors import HL7ErrorCode
from ihe.rules import Offence, rule
from ihe.transactions import SOAPBinding
from pix.text_lengths import LONGEST
from pix.v3_elements import (
    NAMESPACE,
    XSI,
    InstanceIdentifier,
    attribute,
    child,
    children,
    instance_identifier,
    instance_identifiers,
    location,
    name_of,
    time_stamp,
)

INTERACTIONS = "2.16.840.1.113883.1.6"
"""Root of interaction ids and code system of trigger events."""
PROCESSING_CODES = ("D", "T", "P")
MAX_ELEMENTS = 5000
_TOO_LONG: Any = etree.XPath(
    f"(descendant-or-self::*/@* | descendant::text())[string-length() > {LONGEST}]"
    f"[normalize-space() and namespace-uri() != '{XSI}']"
)
"""Not white space, and not where a sender's tools find schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A sender or receiver: its device ids (MSH-3, MSH-5) and the organisation it acts for (MSH-4, MSH-6)."""

    devices: tuple[InstanceIdentifier, ...]
    organizations: tuple[InstanceIdentifier, ...] = ()

    def __str__(self) -> str:
        """Spell ``application|facility`` with OIDs, as a domain's authorities name their sources."""
        return "|".join(str(next(iter(ids), "")) for ids in (self.devices, self.organizations))


def binding(actor: str, request: str, reply: str, suffix: str = "") -> SOAPBinding:
    """The operation of one interaction; the ``suffix`` stands in its name and action alone (ITI TF-2: V.3.2.1)."""
    return SOAPBinding(
        operation=f"{actor}_{request}{suffix}",
        action=f"{NAMESPACE}:{request}{suffix}",
        request=f"{{{NAMESPACE}}}{request}",
        reply_action=f"{NAMESPACE}:{reply}",
        reply=f"{{{NAMESPACE}}}{reply}",
    )


def party(body: _Element, role: str) -> Party:
    """Read the ``sender`` or ``receiver`` of a message, as far as it is there."""
    device = child(body, f"{role}/device")
    organizations = instance_identifiers(device, "asAgent/representedOrganization/id")
    return Party(devices=instance_identifiers(device, "id"), organizations=organizations)


def message_id(body: _Element) -> InstanceIdentifier:
    """The message's own id, empty if it has none."""
    element = child(body, "id")
    return instance_identifier(element) if element is not None else InstanceIdentifier()


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("O.1.1"))
def message_is_of_bounded_size(body: _Element) -> Iterator[Offence]:
    """A message about one patient or one query has at most 5000 elements."""
    if next(islice(body.iter("*"), MAX_ELEMENTS, None), None) is not None:
        yield Offence(location(body), str(sum(1 for _ in body.iter("*"))), f"at most {MAX_ELEMENTS}")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("O.1.1"))
def texts_are_of_bounded_length(body: _Element) -> Iterator[Offence]:
    """No text and no attribute is longer than 256 characters."""
    for text in _TOO_LONG(body):
        yield Offence(f"{location(body)}//{etree.QName(text.getparent()).localname}", f"{len(text)} characters")


BOUNDS = (message_is_of_bounded_size, texts_are_of_bounded_length)
"""What is asked before anything else of a message is looked at."""


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("O.1.1"))
def message_has_an_id(body: _Element) -> Iterator[Offence]:
    """A message has an id, so that it can be acknowledged and known again."""
    if not message_id(body).root:
        yield Offence(f"{location(body)}/id")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table O.1.1-1"))
def message_has_a_creation_time(body: _Element) -> Iterator[Offence]:
    """A message says when it was created: creationTime has a value."""
    if not attribute(body, "creationTime"):
        yield Offence(f"{location(body)}/creationTime")


@rule(HL7ErrorCode.DATA_TYPE_ERROR, tf2("Table O.1.1-1"))
def creation_time_is_a_time(body: _Element) -> Iterator[Offence]:
    """creationTime is an existing YYYY[MM[DD[hh[mm[ss]]]]]."""
    if (text := attribute(body, "creationTime")) and not is_time(time_stamp(text)):
        yield Offence(f"{location(body)}/creationTime", text)


@rule(HL7ErrorCode.UNSUPPORTED_MESSAGE_TYPE, tf2("O.1.1"))
def interaction_id_names_the_message(body: _Element) -> Iterator[Offence]:
    """interactionId is the name of the message's element, without the suffix of a cancellation."""
    named, expected = attribute(body, "interactionId", "extension"), name_of(body).removesuffix("_Cancel")
    if named not in (expected, name_of(body)):
        yield Offence(f"{location(body)}/interactionId", named, expected)


@rule(HL7ErrorCode.UNSUPPORTED_PROCESSING_ID, tf2("Table O.1.1-1"))
def processing_code_is_of_the_vocabulary(body: _Element) -> Iterator[Offence]:
    """processingCode, where it is given, is D, T or P."""
    if (code := attribute(body, "processingCode", "code")) not in (None, *PROCESSING_CODES):
        yield Offence(f"{location(body)}/processingCode", code, "D, T or P")


@rule(HL7ErrorCode.UNSUPPORTED_EVENT_CODE, tf2("O.2"))
def trigger_event_belongs_to_the_interaction(body: _Element) -> Iterator[Offence]:
    """The trigger event code is that of the interaction."""
    named = attribute(body, "controlActProcess/code", "code")
    expected = name_of(body).removesuffix("_Cancel").replace("_IN", "_TE")
    # Table 3.47.4.3.2.3-1 spells the continuation's trigger PRPA_TE000003UV01, section 3.47.4.3.1 QUQI_TE000003UV01.
    if named not in (None, expected, expected.replace("QUQI_", "PRPA_")):
        yield Offence(f"{location(body)}/controlActProcess/code", named, expected)


@rule(HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, tf2("O.1.1"))
def message_has_one_control_act(body: _Element) -> Iterator[Offence]:
    """A message carries exactly one control act."""
    if len(found := children(body, "controlActProcess")) != 1:
        yield Offence(location(body), f"{len(found)} controlActProcess", "1")


@rule(HL7ErrorCode.REQUIRED_FIELD_MISSING, tf2("Table O.1.1-1"))
def parties_have_oids(body: _Element) -> Iterator[Offence]:
    """There is one sender and one receiver; the id of each device and organisation is an ISO OID without extension."""
    for role in ("sender", "receiver"):
        if len(found := children(body, role)) != 1:
            yield Offence(f"{location(body)}/{role}", f"{len(found)} {role}", "1")
        both = party(body, role)
        if not both.devices:
            yield Offence(f"{location(body)}/{role}/device/id")
        for each in (*both.devices, *both.organizations):
            if not each.is_domain:
                yield Offence(each.location, str(each), "an OID as root, no extension")


WRAPPER_RULES = (
    message_has_an_id,
    message_has_a_creation_time,
    creation_time_is_a_time,
    interaction_id_names_the_message,
    processing_code_is_of_the_vocabulary,
    trigger_event_belongs_to_the_interaction,
    message_has_one_control_act,
    parties_have_oids,
)
