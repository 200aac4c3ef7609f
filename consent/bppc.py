"""Patient Privacy Consent Acknowledgment Document of BPPC, with or without a scanned part (ITI TF-3: 5.1).

The document acknowledges policies by their ids; what each means is the domain's to say (ITI TF-1: 19.2).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from lxml.etree import _Element

from consent.statements import ConsentDocument, InstanceIdentifier, Period, PolicyId, Statement, unsupported
from consent.xacml import HL7, Findings
from ihe.citations import tf3
from ihe.datatypes import CX
from ihe.errors import Rejected
from ihe.identifiers import is_oid
from soap.xml import XMLLimits, XMLRefused, parse

LIMITS = XMLLimits(size=16 * 1024 * 1024, depth=64, attributes=64, tags=100_000)
"""A scanned part may be large."""
DOCUMENTS = {"1.3.6.1.4.1.19376.1.5.3.1.1.7", "1.3.6.1.4.1.19376.1.5.3.1.1.7.1"}
"""Templates without and with a scanned part (5.1.2, 5.1.3)."""
ACKNOWLEDGEMENT = "1.3.6.1.4.1.19376.1.5.3.1.2.6"
RULE = tf3("5.1.2.2")
_TS = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.\d+)?(?:([+-])(\d\d)(\d\d))?")


def read(data: bytes) -> ConsentDocument:
    """Read an acknowledgement, or raise Rejected with everything that is wrong with it."""
    try:
        root = parse(data, LIMITS)
    except XMLRefused as refused:
        raise Rejected(unsupported(f"A consent is well-formed XML: {refused}", "/", RULE)) from None
    findings = Findings(RULE)
    if root.tag != f"{{{HL7}}}ClinicalDocument":
        findings.refuse(root, "The root of a BPPC document is a ClinicalDocument of CDA R2", str(root.tag))
        raise Rejected(*findings.breaches)
    document = _document(root, findings)
    if findings.breaches:
        raise Rejected(*findings.breaches)
    return document


def _document(root: _Element, findings: Findings) -> ConsentDocument:
    if not DOCUMENTS & _templates(root):
        findings.refuse(root, "A BPPC document names its template", ", ".join(_templates(root)), " or ".join(DOCUMENTS))
    identifier = _find(root, "id")
    return ConsentDocument(
        id=str(_instance(identifier)) if identifier is not None else "",
        patients=tuple(_patients(root, findings)),
        statements=tuple(_statements(root, findings)),
        description=" ".join((root.findtext(f"{{{HL7}}}title") or "").split()),
        written=_start(_find(root, "effectiveTime")),
    )


def _statements(root: _Element, findings: Findings) -> Iterator[Statement]:
    events = [each for each in _all(root, "documentationOf/serviceEvent") if ACKNOWLEDGEMENT in _templates(each)]
    if not events:
        findings.refuse(root, f"A BPPC document has a serviceEvent with the template {ACKNOWLEDGEMENT} (5.1.2.2.1)")
    periods = [_period(each, findings) for each in events]
    if len(set(periods)) > 1:
        findings.refuse(root, "All acknowledgements of a document have one effectiveTime (5.1.2.2.7)")
    for event, period in zip(events, periods, strict=True):
        yield Statement(rule=_policy(event, findings), period=period)


def _policy(event: _Element, findings: Findings) -> PolicyId:
    """The Patient Privacy Policy Identifier that is acknowledged (5.1.2.2.6)."""
    if (event.get("classCode"), event.get("moodCode")) != ("ACT", "EVN"):
        findings.refuse(event, "An acknowledgement is an ACT in the mood EVN (5.1.2.2.3)", event.get("moodCode"))
    code = _find(event, "code")
    if code is None or not code.get("code") or not is_oid(code.get("codeSystem", "")):
        findings.refuse(event, "An acknowledgement has the code and the codeSystem of a policy (5.1.2.2.6)")
        return PolicyId("")
    return PolicyId(code.get("code", ""), code.get("codeSystem", ""))


def _period(event: _Element, findings: Findings) -> Period:
    """``low`` is required; ``high`` is the last moment, with the whole of its day if it is a day (5.1.2.2.7)."""
    time = _find(event, "effectiveTime")
    bounds = {} if time is None else {name: _find(time, name) for name in ("low", "high")}
    low, high = (None if each is None else each.get("value") for each in (bounds.get("low"), bounds.get("high")))
    start, end = (_span(each) if each else None for each in (low, high))
    if start is None or (bounds.get("high") is not None and end is None):
        findings.refuse(event, "The effectiveTime has a low and perhaps a high, both times (5.1.2.2.7)", low or high)
        return Period()
    if time is not None and {each.tag for each in time} - {f"{{{HL7}}}low", f"{{{HL7}}}high"}:
        findings.refuse(time, "The effectiveTime has a low and perhaps a high (5.1.2.2.7)")
    return Period(start[0], end[1] if end else None)


def _patients(root: _Element, findings: Findings) -> Iterator[CX]:
    records = _all(root, "recordTarget/patientRole")
    if len(records) != 1:
        findings.refuse(root, "A consent is that of one patient", f"{len(records)} patientRoles")
    for identifier in (_instance(each) for record in records for each in _all(record, "id")):
        if is_oid(identifier.root) and identifier.extension:
            yield identifier.cx


def _start(time: _Element | None) -> datetime | None:
    span = _span(time.get("value", "")) if time is not None else None
    return span[0] if span else None


def _span(text: str) -> tuple[datetime, datetime] | None:
    """The first moment of a TS and the first one after it, by its precision; without a zone it is UTC."""
    found = _TS.fullmatch(text.strip())
    if not found:
        return None
    sign, hours, minutes = found[7], found[8], found[9]
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1) if sign else timedelta()
    parts = [int(each) for each in found.groups()[:6] if each]
    try:
        zone = timezone(offset)
        start = datetime(*(parts + [1, 1][len(parts) - 1 :] if len(parts) < 3 else parts), tzinfo=zone)  # type: ignore[misc, arg-type]
        return start.astimezone(UTC), _after(start, len(parts)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _after(start: datetime, precision: int) -> datetime:
    if precision == 1:
        return start.replace(year=start.year + 1)
    if precision == 2:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))[precision - 3]


def _templates(element: _Element) -> set[str]:
    return {each.get("root", "") for each in _all(element, "templateId")}


def _instance(element: _Element) -> InstanceIdentifier:
    return InstanceIdentifier(element.get("root", "").strip(), element.get("extension", "").strip())


def _all(element: _Element, path: str) -> list[_Element]:
    return element.findall("/".join(f"{{{HL7}}}{step}" for step in path.split("/")))


def _find(element: _Element, path: str) -> _Element | None:
    return next(iter(_all(element, path)), None)
