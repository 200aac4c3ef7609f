"""Why a message of ITI-31 is refused, with the remedy (ITI TF-2: 3.31.7)."""

from collections.abc import Iterable

from ihe.citations import Citation, tf2
from ihe.errors import Breach, HL7ErrorCode
from pix.encounter_requests import EncounterMessage
from pix.encounters import Encounter


def is_admitted(open_admissions: Iterable[Encounter], citation: Citation) -> Breach:
    """An admission while another one is open."""
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="An admission of this patient is open already",
        location="PV1^1^19",
        observed=", ".join(each.visit or each.account for each in open_admissions if each.is_inpatient),
        citation=citation,
        remedy="Send ADT^A03 or A11 for the open admission first, or ADT^A04 for an outpatient visit",
    )


def is_known_movement(message: EncounterMessage, citation: Citation) -> Breach:
    """The same event inserted a movement of this id before."""
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="A movement with this id was inserted before",
        location="ZBE^1^1",
        observed="~".join(message.movement.ids),
        citation=citation,
        remedy="Send ADT^Z99 to correct the movement",
    )


def is_not_current(message: EncounterMessage, citation: Citation) -> Breach:
    """A cancellation of a movement that another one followed."""
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="Only the current movement can be cancelled, and this one was followed by another",
        location="ZBE^1^1",
        observed="~".join(message.movement.ids),
        citation=citation,
        remedy="Cancel the later movements first, or correct this one with ADT^Z99",
    )


def is_unknown_movement(message: EncounterMessage) -> Breach:
    """An update of a movement that nobody inserted."""
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="The movement to be updated is not known",
        location="ZBE^1^1",
        observed="~".join(message.movement.ids),
        citation=tf2("3.31.7.30.4"),
        remedy="Send the event that inserts the movement first; ZBE-6 names that event",
    )
