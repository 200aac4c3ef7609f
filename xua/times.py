"""Instants as SAML writes them: xs:dateTime with its zone said (SAML Core 1.3.3)."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


# An assertion says the same few instants several times, and those of one issuer are alike.
@lru_cache(maxsize=256)
def parse_instant(text: str) -> datetime:
    """Read an instant as an aware datetime in UTC.

    ValueError where the zone is missing: SAML wants UTC, an explicit offset leaves no doubt either, silence does.
    """
    if _INSTANT.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not an xs:dateTime with a time zone")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} lies outside the years 1 to 9999") from error


def format_instant(instant: datetime) -> str:
    """Spell an instant in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
