"""The Syslog Protocol, RFC 5424, as audit records travel in it (ITI TF-2: 3.20.4.1.2).

``encode`` is strict. ``decode`` takes what real senders write and names each deviation: an Audit Record Repository
"shall accept any Syslog message that complies with RFC5424" and should keep fragments as well (3.20.4.1.3).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType

AUTHPRIV = 10
"""Facility security/authorization messages: the one of audit messages (ITI TF-2: 3.20.4.1.2, item 2)."""
IHE_MSGID = "IHE+RFC-3881"
"""Item 3 of 3.20.4.1.2. DICOM PS3.15 A.6 has ``DICOM+RFC3881`` instead, which is taken as well."""
DICOM_MSGID = "DICOM+RFC3881"
BOM = b"\xef\xbb\xbf"
NIL = "-"


class Severity(IntEnum):
    """Those of audit messages: 5, or 4 "if that is appropriate to the more detailed information" (3.20.4.1.2)."""

    WARNING = 4
    NOTICE = 5


class Deviation(StrEnum):
    """What a message has that RFC 5424 does not allow, and that could be read all the same."""

    BSD = "in the old format of RFC 3164"
    VERSION = "a VERSION other than 1 (RFC 5424: 6.2.2)"
    TIMESTAMP = "a TIMESTAMP that is none (RFC 5424: 6.2.3)"
    FIELD = "a header field that is too long or holds other than printable ASCII (RFC 5424: 6)"
    STRUCTURED_DATA = "STRUCTURED-DATA that is missing or malformed (RFC 5424: 6.3)"
    ENCODING = "text that is not UTF-8 (ITI TF-2: 3.20.4.1.2, item 1)"
    TRAILER = "NUL bytes after the message"


class NotSyslog(ValueError):
    """Bytes without a PRI: no syslog message of any age."""


Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogMessage:
    """One SYSLOG-MSG; None stands for NILVALUE. ``content`` is MSG without a byte order mark."""

    facility: int = AUTHPRIV
    severity: int = Severity.NOTICE
    timestamp: datetime | None = None
    hostname: str | None = None
    app_name: str | None = None
    proc_id: str | None = None
    msg_id: str | None = None
    structured_data: Mapping[str, Parameters] = field(default_factory=lambda: MappingProxyType({}))
    content: bytes = b""

    @property
    def pri(self) -> int:
        """PRIVAL (RFC 5424: 6.2.1): 85 for most audit messages."""
        return self.facility * 8 + self.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What was read, and how it departs from the standard."""

    message: SyslogMessage
    deviations: tuple[Deviation, ...] = ()


LONGEST: Mapping[str, int] = {"hostname": 255, "app_name": 48, "proc_id": 128, "msg_id": 32}
"""The header fields in their order, with the most characters of each (RFC 5424: 6)."""
_PRINTABLE = re.compile(r"[!-~]+")
_SD_NAME = re.compile(r"[!#-<>-\\^-~]{1,32}")
_ESCAPED = re.compile(r'(["\\\]])')
_ESCAPE = re.compile(r'\\(["\\\]])')


def encode(message: SyslogMessage) -> bytes:
    """Write one message, with its time in UTC and no byte order mark. Raises ValueError that names the field."""
    if not (0 <= message.facility <= 23 and 0 <= message.severity <= 7):
        raise ValueError(f"facility {message.facility}, severity {message.severity}: not in 0-23, 0-7")
    fields = (_field(name, getattr(message, name)) for name in LONGEST)
    header = " ".join((f"<{message.pri}>1", _timestamp(message.timestamp), *fields))
    data = "".join(_element(name, parameters) for name, parameters in message.structured_data.items())
    separator = b" " if message.content else b""
    return f"{header} {data or NIL}".encode() + separator + message.content


def _field(name: str, value: str | None) -> str:
    if value is None:
        return NIL
    if not _PRINTABLE.fullmatch(value) or len(value) > LONGEST[name] or value == NIL:
        raise ValueError(f"{name} must be 1 to {LONGEST[name]} printable ASCII characters, and no dash: {value!r}")
    return value


def _timestamp(at: datetime | None) -> str:
    if at is None:
        return NIL
    if at.tzinfo is None:
        raise ValueError("timestamp must know its time zone (RFC 5424: 6.2.3)")
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds" if at.microsecond else "seconds")
    return f"{text}Z"


def _element(name: str, parameters: Parameters) -> str:
    for each in (name, *(key for key, _ in parameters)):
        if not _SD_NAME.fullmatch(each):
            raise ValueError(f'an SD-NAME is 1 to 32 printable ASCII characters without =, ], ": {each!r}')
    values = "".join(f' {key}="{_escape(value)}"' for key, value in parameters)
    return f"[{name}{values}]"


def _escape(value: str) -> str:
    return _ESCAPED.sub(r"\\\1", value)


_PRI = re.compile(rb"<(\d{1,3})>")
_VERSION = re.compile(rb"([1-9]\d{0,2}) ")
_BSD = re.compile(rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?:([^ <]+) )?(?:([^ :\[<]+)(?:\[([^\]]*)\])?: ?)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_TRAILER = b"\0"


def decode(data: bytes) -> Decoded:
    """Read one message without its frame. Raises NotSyslog if it has no PRI."""
    found = _PRI.match(data)
    if found is None or int(found[1]) > 191:
        raise NotSyslog("no PRI of 0 to 191 in angle brackets at the beginning (RFC 5424: 6.2.1)")
    reader = _Reader(data, found.end())
    facility, severity = divmod(int(found[1]), 8)
    return reader.read(facility, severity)


class _Reader:
    """Reads one message from left to right and remembers what was amiss."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._deviations: dict[Deviation, None] = {}

    def read(self, facility: int, severity: int) -> Decoded:
        version = _VERSION.match(self._data, self._at)
        if version is None:
            return self._bsd(facility, severity)
        self._at = version.end()
        if version[1] != b"1":
            self._note(Deviation.VERSION)
        timestamp = self._time(self._word())
        fields = {name: self._header(name) for name in LONGEST}
        data = MappingProxyType(dict(self._structured_data()))
        return self._decoded(
            SyslogMessage(
                facility=facility,
                severity=severity,
                timestamp=timestamp,
                structured_data=data,
                content=self._content(),
                **fields,
            )
        )

    def _bsd(self, facility: int, severity: int) -> Decoded:
        self._note(Deviation.BSD)
        found = _BSD.match(self._data, self._at)
        hostname, tag, process = (_text(each) for each in found.groups()[1:]) if found else (None, None, None)
        self._at = found.end() if found else self._at
        return self._decoded(
            SyslogMessage(
                facility=facility,
                severity=severity,
                hostname=hostname,
                app_name=tag,
                proc_id=process,
                content=self._content(),
            )
        )

    def _decoded(self, message: SyslogMessage) -> Decoded:
        return Decoded(message=message, deviations=tuple(self._deviations))

    def _note(self, deviation: Deviation) -> None:
        self._deviations[deviation] = None

    def _word(self) -> str:
        end = self._data.find(b" ", self._at)
        end = len(self._data) if end < 0 else end
        word = self._data[self._at : end].decode("utf-8", "replace")
        self._at = min(end + 1, len(self._data))
        return word

    def _time(self, text: str) -> datetime | None:
        try:
            found = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
        except ValueError:
            found = None
        if found is None and text != NIL:
            self._note(Deviation.TIMESTAMP)
        return found

    def _header(self, name: str) -> str | None:
        text = self._word()
        if text == NIL:
            return None
        if not _PRINTABLE.fullmatch(text) or len(text) > LONGEST[name]:
            self._note(Deviation.FIELD)
        return text[: LONGEST[name]] or None

    def _structured_data(self) -> Iterator[tuple[str, Parameters]]:
        if self._data[self._at : self._at + 1] == NIL.encode():
            self._at += 1
            return
        if self._data[self._at : self._at + 1] != b"[":
            self._note(Deviation.STRUCTURED_DATA)
        while element := _ELEMENT.match(self._data, self._at):
            self._at = element.end()
            parameters = (_parameter(*each.groups()) for each in _PARAMETER.finditer(element[2]))
            yield element[1].decode("ascii"), tuple(parameters)
        if self._data[self._at : self._at + 1] == b"[":
            self._note(Deviation.STRUCTURED_DATA)

    def _content(self) -> bytes:
        content = self._data[self._at :]
        content = content.removeprefix(b" ").removeprefix(BOM)
        trimmed = content.rstrip(_TRAILER)
        if trimmed != content:
            self._note(Deviation.TRAILER)
        try:
            trimmed.decode("utf-8")
        except UnicodeDecodeError:
            self._note(Deviation.ENCODING)
        return trimmed


_NAME = rb"[!#-<>-\\^-~]{1,32}"
_ELEMENT = re.compile(rb"\[(" + _NAME + rb")((?: " + _NAME + rb'="(?:[^"\\\]]|\\.)*")*)\]', re.DOTALL)
_PARAMETER = re.compile(rb" (" + _NAME + rb')="((?:[^"\\\]]|\\.)*)"', re.DOTALL)


def _parameter(name: bytes, value: bytes) -> tuple[str, str]:
    """A backslash before another character than these three is itself (RFC 5424: 6.3.3)."""
    return name.decode("ascii"), _ESCAPE.sub(r"\1", value.decode("utf-8", "replace"))


def _text(raw: bytes | None) -> str | None:
    return raw.decode("utf-8", "replace") if raw else None
