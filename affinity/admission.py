"""Whether a message is let in: from which node, with what agreement, and not too fast (ITI TF-2: 3.19.6.1.3).

The wires know a certificate or none; nothing that a message says of itself makes it another node's, except on ports
without TLS of a domain that allows it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from affinity.allowances import Allowances
from affinity.metrics import FORGIVEN, NOT_ADMITTED
from affinity.partners import Agreement, Partners, SourceId
from ihe.citations import tf2
from ihe.partners import Validation

log = structlog.get_logger()

CITATION = tf2("3.19.6.1.3")
NOBODY = "(none)"
"""The partner's name in logs and metrics where there is no partner."""


class Reason(StrEnum):
    """Why a node is not let in with a message."""

    UNKNOWN = "no partner"
    NOT_AGREED = "transaction not agreed"
    FOREIGN_SOURCE = "source of another"
    TOO_FAST = "too fast"


class NotAdmitted(Exception):
    """A message is not let in. The text is for its sender; ``wait`` is in seconds."""

    def __init__(self, reason: Reason, text: str, *, observed: SourceId | None = None, wait: int = 0) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.observed = observed
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a connection proves of its other end: the address, and the certificate (DER) that TLS has verified."""

    peer: str
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Lets messages in. Safe between threads."""

    partners: Partners = field(default_factory=Partners)
    allowances: Allowances = field(default_factory=Allowances)

    def admit(self, shown: Shown, sources: tuple[SourceId, ...], transaction: str) -> Agreement | None:
        """The agreement under which a message comes; None where nobody has one. Raises NotAdmitted."""
        agreement = self._sender(shown, sources)
        try:
            self._check(agreement, shown, transaction)
        except NotAdmitted as refused:
            note(refused, agreement, shown.peer)
            raise
        return agreement

    def check_sources(self, agreement: Agreement | None, sources: Iterable[SourceId], peer: str) -> None:
        """Let nobody speak under the id of another. Raises NotAdmitted."""
        for each in sources:
            if self._may_speak(agreement, each):
                continue
            refused = NotAdmitted(Reason.FOREIGN_SOURCE, _foreign(agreement), observed=each)
            note(refused, agreement, peer)
            raise refused

    def _sender(self, shown: Shown, sources: tuple[SourceId, ...]) -> Agreement | None:
        if shown.certificate is not None:
            return self.partners.shown(shown.certificate)
        return self.partners.owner(sources[0]) if sources and self.partners.by_source else None

    def _check(self, agreement: Agreement | None, shown: Shown, transaction: str) -> None:
        if agreement is None:
            if not self.partners.admits_unknown:
                raise NotAdmitted(Reason.UNKNOWN, _unknown(shown))
            return
        if not agreement.provides_for(transaction):
            name = agreement.partner.name
            raise NotAdmitted(
                Reason.NOT_AGREED, f"The agreement with partner {name} does not provide for {transaction}"
            )
        wait = math.ceil(self.allowances.seconds_to_wait(agreement))
        if wait:
            rate = agreement.allowance.requests_per_second
            text = f"More than the {rate:g} requests per second agreed; send again after {wait} s"
            raise NotAdmitted(Reason.TOO_FAST, text, wait=wait)

    def _may_speak(self, agreement: Agreement | None, source: SourceId) -> bool:
        if agreement is not None:
            return agreement.speaks_as(source)
        return self.partners.owner(source) is None


@dataclass(frozen=True, slots=True)
class Forgiven:
    """Counts what is forgiven a partner; what is only recorded is written down as well."""

    agreement: Agreement | None
    correlation_id: str

    def __call__(self, deviation: str) -> None:
        """Note one deviation that was taken."""
        FORGIVEN.labels(name_of(self.agreement), deviation).inc()
        if self.agreement and self.agreement.partner.validation is Validation.RECORD_ONLY:
            log.warning(
                "breach recorded",
                partner=name_of(self.agreement),
                breach=str(deviation),
                correlation=self.correlation_id,
            )


def validation(agreement: Agreement | None, otherwise: Validation) -> Validation:
    """How the partner's messages are checked; ``otherwise`` where there is no partner."""
    return agreement.partner.validation if agreement else otherwise


def name_of(agreement: Agreement | None) -> str:
    """The partner's name for logs and metrics."""
    return agreement.partner.name if agreement else NOBODY


def note(refused: NotAdmitted, agreement: Agreement | None, peer: str) -> None:
    """Count and log one refusal."""
    NOT_ADMITTED.labels(name_of(agreement), refused.reason).inc()
    observed = {"kind": refused.observed.kind.value} if refused.observed else {}
    log.warning("partner refused", partner=name_of(agreement), reason=refused.reason.value, peer=peer, **observed)


def _unknown(shown: Shown) -> str:
    if shown.certificate is None:
        return "Without a client certificate nobody is known here as a partner: use the port with TLS"
    return "No partner of this domain has the certificate that you show: give its SHA-256 to the operator"


def _foreign(agreement: Agreement | None) -> str:
    if agreement is None:
        return "The message speaks under an id that belongs to a partner, and is not from that partner's node"
    return f"The message speaks under an id that is not one of those agreed with partner {agreement.partner.name}"
