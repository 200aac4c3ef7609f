"""Audit messages: the DICOM form, and the syslog line around it (ITI TF-2: 3.20.4; DICOM PS3.15: A.5.1)."""

from collections.abc import Iterator
from dataclasses import replace

from lxml.etree import QName, _Element

from atna.dicom import NotAnAuditMessage, read
from atna.syslog import NotSyslog, decode
from conformance.catalogue import Level
from conformance.findings import Finding
from ihe.citations import Citation, tf2
from soap.xml import parse

DICOM = Citation("DICOM PS3.15", "A.5.1")
CODED = frozenset(
    {
        "EventID",
        "EventTypeCode",
        "RoleIDCode",
        "MediaType",
        "ParticipantObjectIDTypeCode",
        "PurposeOfUse",
        "AuditSourceTypeCode",
    }
)
REQUIRED = {
    "EventIdentification": ("EventDateTime", "EventOutcomeIndicator"),
    "ActiveParticipant": ("UserID", "UserIsRequestor"),
    "AuditSourceIdentification": ("AuditSourceID",),
    "ParticipantObjectIdentification": ("ParticipantObjectID",),
}
"""What the schema demands of each element."""


def validate(data: bytes) -> tuple[Finding, ...]:
    """What is wrong with an audit message."""
    try:
        read(data)
    except NotAnAuditMessage as error:
        return (_wrong(str(error), "AuditMessage"),)
    return tuple(_strictly(parse(data)))


def validate_syslog(data: bytes) -> tuple[Finding, ...]:
    """What is wrong with one syslog message, and with the audit message that it carries."""
    length, _, framed = data.partition(b" ")
    try:
        decoded = decode(framed if length.isdigit() else data)
    except NotSyslog as error:
        return (Finding(level=Level.SHALL, text=str(error), location="PRI", citation=tf2("3.20.4.1.2")),)
    wrong = tuple(
        Finding(level=Level.SHALL, text=f"It has {each.value}", location=each.name, citation=tf2("3.20.4.1.2"))
        for each in decoded.deviations
    )
    return (*wrong, *validate(decoded.message.content))


def _strictly(root: _Element) -> Iterator[Finding]:
    for element in root.iter("{*}*"):
        name = QName(element).localname
        for attribute in REQUIRED.get(name, ()):
            if not element.get(attribute):
                yield _wrong(f"{name} has {attribute}", f"{name}/@{attribute}", _line(element))
        if name in CODED and not element.get("csd-code"):
            old = element.get("code")
            wrong = _wrong(f"{name} is a code with csd-code", f"{name}/@csd-code", _line(element))
            yield replace(wrong, observed=old, hint="code is how RFC 3881 spelled it" if old else "")


def _wrong(text: str, location: str, line: int | None = None) -> Finding:
    return Finding(level=Level.SHALL, text=text, location=location, citation=DICOM, line=line)


def _line(element: _Element) -> int | None:
    line: int | None = element.sourceline  # type: ignore[assignment]
    return line
