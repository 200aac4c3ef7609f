"""The quality of what each source sends, as the people see it who look after identities."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from pix import store_rejections, store_statistics
from pix.manager import PatientIndex
from pix.matching.unsaid import says_nobody

REFUSED_DAYS = 30
"""Refused messages are counted over so many days, today included."""
NONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatistics:
    """One source (application|facility), by the records that it fed last. All numbers are of records but ``refused``.

    ``duplicates`` are one person with another record of the same authority and source, ``suspected`` are open tasks
    that ask so. ``missing`` counts records without birth date, sex, address, phone, national id. ``refused``: messages
    by code.
    """

    source: str
    records: int = 0
    persons: int = 0
    duplicates: int = 0
    suspected: int = 0
    overlays: int = 0
    invalid_national_ids: int = 0
    placeholder_names: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


def by_source(index: PatientIndex) -> tuple[SourceStatistics, ...]:
    """Count everything in one snapshot, sources in the order of their names. Reads the whole index: takes seconds."""
    since = (index.clock() - timedelta(days=REFUSED_DAYS - 1)).date().isoformat()
    return index.database.read(lambda connection: _count(connection, since))


def _count(connection: Connection, since: str) -> tuple[SourceStatistics, ...]:
    complete = {source: (total, lacking) for source, total, lacking in store_statistics.completeness(connection)}
    persons, carrying = store_statistics.persons(connection), store_statistics.with_national_id(connection)
    suspected, overlays = store_statistics.suspected_duplicates(connection), store_statistics.overlays(connection)
    placeholders, refused = _placeholders(connection), store_rejections.since(connection, since)

    def of(source: str) -> SourceStatistics:
        total, lacking = complete.get(source, (0, NONE))
        people, surplus = persons.get(source, (0, 0))
        identified, invalid = carrying.get(source, (0, 0))
        return SourceStatistics(
            source=source,
            records=total,
            persons=people,
            duplicates=surplus,
            suspected=suspected.get(source, 0),
            overlays=overlays.get(source, 0),
            invalid_national_ids=invalid,
            placeholder_names=placeholders[source],
            missing={**lacking, "national_id": total - identified} if total else NONE,
            refused=refused.get(source, NONE),
        )

    return tuple(map(of, sorted({*complete, *refused})))


def _placeholders(connection: Connection) -> Counter[str]:
    found: Counter[str] = Counter()
    for source, given, total in store_statistics.given_names(connection):
        if given and says_nobody(given):
            found[source] += total
    return found
