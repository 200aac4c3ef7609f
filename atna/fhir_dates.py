"""Dates of a FHIR search: a prefix, and a time of any precision (FHIR R4: Search, date)."""

import re
from datetime import UTC, datetime, timedelta

_DATE = re.compile(r"(eq|ge|gt|le|lt|sa|eb)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(.+))?)?)?")
_CLOCK = re.compile(r"(\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")


def period(text: str) -> tuple[str, datetime, datetime]:
    """What a date covers, from its first moment to the first after it; without a zone it is in UTC."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        prefix, year, month, day, clock = found.groups()
        if clock:
            return (prefix or "eq", *_moment(f"{year}-{month}-{day}", clock))
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        return prefix or "eq", start, _after(start, month, day)
    except (ValueError, OverflowError):
        raise ValueError("must be a date or time of RFC 3339 behind eq, ge, gt, le, lt, sa or eb") from None


def _moment(date: str, clock: str) -> tuple[datetime, datetime]:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ValueError(clock)
    minutes, seconds, fraction, zone = found.groups()
    start = datetime.fromisoformat(f"{date}T{minutes}{seconds or ':00'}{(fraction or '')[:7]}{zone or 'Z'}")
    if fraction:
        return start, start + timedelta(microseconds=10 ** max(7 - len(fraction), 0))
    return start, start + (timedelta(seconds=1) if seconds else timedelta(minutes=1))


def _after(start: datetime, month: str | None, day: str | None) -> datetime:
    if day:
        return start + timedelta(days=1)
    if month and start.month < 12:
        return start.replace(month=start.month + 1)
    return start.replace(year=start.year + 1, month=1)
