"""FHIR R4 dateTime and Period: an end includes all that its precision covers (FHIR R4: 2.24.0.20)."""

import re
from datetime import UTC, datetime, timedelta

_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:\d\d))?)?)?",
)


def span(text: str) -> tuple[datetime, datetime]:
    """The first moment of a dateTime and the first one after it; without a time of day it is UTC. Or ValueError."""
    found = _DATE_TIME.fullmatch(text)
    if not found:
        raise ValueError("a dateTime is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone")
    year, month, day, clock, fraction, _ = found.groups()
    if clock:
        start = datetime.fromisoformat(text).astimezone(UTC)
        return start, start + timedelta(**({"microseconds": 1} if fraction else {"seconds": 1}))
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if day:
        return start, start + timedelta(days=1)
    return start, _month_after(start) if month else start.replace(year=start.year + 1)


def inclusive_end(end: datetime) -> str:
    """The last moment before ``end``, in whole seconds where ``end`` is one."""
    if end.microsecond:
        return (end - timedelta(microseconds=1)).astimezone(UTC).isoformat(timespec="microseconds")
    return (end - timedelta(seconds=1)).astimezone(UTC).isoformat()


def _month_after(start: datetime) -> datetime:
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
