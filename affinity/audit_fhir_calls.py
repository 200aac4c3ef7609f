"""One request of the FHIR interface and its answer, without the wire; refusals as OperationOutcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from affinity.outages import Unavailable
from affinity.stewardship.problems import Problem
from atna.fhir_coding import JSON
from atna.iti81 import BadQuery
from atna.trail import AuditUnavailable

JSON_TYPES = ("application/fhir+json", "application/json", "text/json")
XML_TYPES = ("application/fhir+xml", "application/xml", "text/xml")
ISSUES: Mapping[int, str] = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    503: "transient",
}
"""OperationOutcome.issue.code by HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FHIRCall:
    """One request. ``path`` is what follows ``/fhir/``; ``content`` is None if it is too long."""

    method: str
    path: tuple[str, ...] = ()
    query: str = ""
    authorization: str = ""
    accept: str = ""
    content_type: str = ""
    content: bytes | None = b""
    peer: str = ""
    certificate: bytes | None = None
    secure: bool = False

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """What the URL asks. Raises Problem (400)."""
        try:
            return parse_qsl(self.query, keep_blank_values=True, strict_parsing=bool(self.query), max_num_fields=200)
        except ValueError:
            raise Problem(400, "syntax", "The query of the URL cannot be read") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class FHIRReply:
    """Status, resource, and whether it is wanted in XML."""

    status: int
    resource: JSON
    in_xml: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def wants_xml(call: FHIRCall) -> bool:
    """``_format`` comes before Accept (FHIR R4: HTTP, Content Types); JSON unless XML is asked for."""
    try:
        formats = [value for name, value in call.parameters if name == "_format"]
    except Problem:  # which the answer tells
        formats = []
    wanted = (formats[0] if formats else call.accept.partition(",")[0]).partition(";")[0].strip().lower()
    return wanted == "xml" or wanted.replace(" ", "+") in XML_TYPES


def refusal(error: Problem | BadQuery | AuditUnavailable | Unavailable) -> FHIRReply:
    if isinstance(error, Unavailable):
        return FHIRReply(status=503, resource=outcome("transient", f"Nothing was done: {error}"))
    if isinstance(error, AuditUnavailable):
        return FHIRReply(
            status=503, resource=outcome("transient", "The reading could not be recorded, so it is refused")
        )
    status = error.status if isinstance(error, Problem) else 400
    headers = {"WWW-Authenticate": 'Bearer realm="audit"'} if status == 401 else {}
    return FHIRReply(status=status, resource=outcome(ISSUES.get(status, "processing"), str(error)), headers=headers)


def incident(correlation: str) -> FHIRReply:
    """What nobody foresaw: the log has it in full, the answer names the incident."""
    words = f"An error that nobody foresaw; the log of the server has it under {correlation}"
    return FHIRReply(status=500, resource=outcome("exception", words))


def outcome(code: str, words: str) -> JSON:
    severity = "information" if code == "informational" else "error"
    issue = {"severity": severity, "code": code, "diagnostics": words}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
