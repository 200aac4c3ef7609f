"""From the bytes of a message to what is wrong with it: recognised, then judged by the validator of its kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.findings import Finding
from conformance.kinds import Kind, Recognised, recognise
from conformance.validators import audit, cda, hl7v2, http, saml, soap
from conformance.validators.context import Context

Judged = tuple[str | None, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a message is, and everything that is wrong with it. ``transaction`` None: an answer, or none of ours."""

    kind: Kind
    transaction: str | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings a receiver may refuse the message for."""
        return sum(each.is_error for each in self.findings)


def validate(data: bytes, context: Context) -> Report:
    """Judge one message. NotRecognised: it is none of the kinds."""
    recognised = recognise(data)
    transaction, findings = VALIDATORS[recognised.kind](recognised, context)
    return Report(kind=recognised.kind, transaction=transaction, findings=findings)


def _payload(recognised: Recognised, context: Context) -> Judged:
    assert recognised.root is not None
    return soap.payload(recognised.root, context)


def _envelope(recognised: Recognised, context: Context) -> Judged:
    assert recognised.root is not None
    return soap.validate(recognised.root, context)


def _document(recognised: Recognised, _: Context) -> Judged:
    assert recognised.root is not None
    return None, cda.validate(recognised.root)


VALIDATORS: Mapping[Kind, Callable[[Recognised, Context], Judged]] = {
    Kind.HL7V2: lambda recognised, context: hl7v2.validate(recognised.data, context),
    Kind.HTTP: lambda recognised, context: http.validate(recognised.data, context),
    Kind.SOAP: _envelope,
    Kind.EBXML: _payload,
    Kind.HL7V3: _payload,
    Kind.CDA: _document,
    Kind.SAML: lambda recognised, _: ("ITI-40", saml.validate(recognised.data)),
    Kind.AUDIT: lambda recognised, _: ("ITI-20", audit.validate(recognised.data)),
    Kind.SYSLOG: lambda recognised, _: ("ITI-20", audit.validate_syslog(recognised.data)),
}
