"""The systems that send HL7 v2, as the domain lists them: how each one's messages are read, and validated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from affinity.domain_model import Application, Organization
from affinity.metrics import DOUBTFUL
from hl7v2.encoding import UNDECLARED, Charset
from hl7v2.message import Message
from mllp.validation import Policy, Validator


@dataclass(frozen=True, slots=True, kw_only=True)
class HL7Sources:
    """Applications by the ``application|facility`` of MSH-3 and MSH-4; what is not listed has no agreement of its own.

    The validator's process is started when a listed source first needs it.
    """

    applications: Mapping[str, Application] = field(default_factory=dict)
    validator: Validator = field(default_factory=Validator)

    @classmethod
    def of(cls, organizations: Iterable[Organization]) -> Self:
        """Every application of every organisation."""
        listed = {f"{each.name}|{owner.facility}": each for owner in organizations for each in owner.applications}
        return cls(applications=listed)

    def charset(self, header: Message) -> Charset:
        """The character set of a message whose MSH-18 is empty."""
        application = self.applications.get(_sender(header))
        return (application.charset if application else None) or UNDECLARED

    def validate(self, message: Message) -> None:
        """Let hl7apy look at a message as its source has agreed. Raises Rejected with every breach (strict)."""
        application = self.applications.get(_sender(message)) if self.applications else None
        policy = application.validation if application else Policy.OFF
        if self.validator.enforce(message, policy):
            DOUBTFUL.labels(_sender(message)).inc()

    def close(self) -> None:
        """End the validator's process."""
        self.validator.close()


def _sender(message: Message) -> str:
    return f"{message.sending_application}|{message.sending_facility}"
