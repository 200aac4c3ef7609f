"""Query Priority, RCP-1, of every query in HL7 v2 (ITI TF-2: 3.9.4.1.2.3, 3.21.4.1.2.5.1, 3.22.4.1.2.3.1)."""

from hl7v2.message import Message
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected


def check_priority(message: Message) -> None:
    """RCP-1 is I; we answer at once, and whoever asks for another time must not wait for it."""
    rcp = message.find("RCP")
    if rcp and rcp.text(1) not in ("I", ""):
        breach = Breach(
            code=HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
            text="A query is answered immediately",
            location=rcp.location(1),
            observed=rcp.text(1),
            expected="I",
            citation=tf2("3.21.4.1.2.5.1"),
        )
        raise Rejected(breach)
