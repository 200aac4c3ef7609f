"""Why ids are not merged or changed (ITI TF-2: 3.8.4.2, 3.30.6.4, 3.30.6.5)."""

from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode
from pix.model import Identifier


def is_unknown(identifier: Identifier) -> Breach:
    """A merge of an id that nobody announced (ITI TF-2: 3.8.4.2.4)."""
    return Breach(
        code=HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER,
        text="No feed announced this patient id, so it cannot be merged",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
        remedy="Announce the patient first: ADT^A01, A04 or A28, or PRPA_IN201301UV02",
    )


def is_taken(identifier: Identifier) -> Breach:
    """A change to the id of another patient (ITI TF-2: 3.30.6.5.4)."""
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="The new patient id already belongs to another patient",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.30.6.5.4"),
        remedy="Send ADT^A40 to merge the two patients",
    )


def is_changed_too(identifier: Identifier) -> Breach:
    """A change of a second id of one domain to the same new one (ITI TF-2: 3.30.6.5.1)."""
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="Another id of this domain is changed by the same message",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.30.6.5.1"),
        remedy="Send an ADT^A47 for each id of the domain, or ADT^A40 to merge the two patients",
    )


def is_the_same(identifier: Identifier) -> Breach:
    """A merge of an id into itself (ITI TF-2: 3.8.4.2.4)."""
    return Breach(
        code=HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER,
        text="A patient id cannot be merged into itself",
        location=identifier.location,
        observed=identifier.id,
        citation=tf2("3.8.4.2.4"),
    )
