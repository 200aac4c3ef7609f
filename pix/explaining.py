"""Why two records are one person, or two: what was decided, what the matcher found then, and what it finds today."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from pix import event_log, store_links, store_matches, store_nationals, store_records
from pix.decisions import Decision, Match, Pair
from pix.event_log import Line
from pix.events import Matched
from pix.matching.configuration import Configuration
from pix.matching.scoring import compare_fully
from pix.state import State
from pix.store_blocking import seen
from pix.store_links import Link
from pix.store_records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The verdict that stands, and what led to it when the records were compared last (``Comparison.plain``)."""

    match: Match
    at: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided of two records, and the line of the log that says who did it and why."""

    decision: Decision
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is known of two records together.

    ``stored`` is None where the matcher keeps them apart; ``today`` is what it says of them as they are now; ``links``
    are the active ones. ``together`` claims that both are one person.
    """

    records: tuple[Record, ...]
    together: bool
    links: tuple[Link, ...]
    decided: Decided | None
    stored: Stored | None
    today: Mapping[str, Any]

    @property
    def differs(self) -> bool:
        """Claim that the matcher would say something else today than what stands."""
        stored = self.stored.detail.get("outcome") if self.stored else "apart"
        weight = self.stored.detail.get("weight") if self.stored else None
        return stored != self.today["outcome"] or (weight is not None and weight != self.today["weight"])


def explain(connection: Connection, two: Pair, configuration: Configuration) -> Explanation:
    """Read what is known of two records, and compare them anew; nothing is stored."""
    found = store_records.by_keys(connection, two)
    links = store_links.links_of(connection, two)
    persons = [each.person for each in links]
    return Explanation(
        records=tuple(found[key] for key in two),
        together=len(set(persons)) == 1 and len(persons) == len(set(two)),
        links=links,
        decided=_decided(connection, two),
        stored=_stored(connection, two),
        today=_today(connection, found, two, configuration),
    )


def _decided(connection: Connection, two: Pair) -> Decided | None:
    for each in store_links.decisions(connection, two):
        if each.pair == two:
            return Decided(decision=each, line=event_log.read(connection, each.event))
    return None


def _stored(connection: Connection, two: Pair) -> Stored | None:
    for match in store_matches.matches(connection, two):
        if match.pair == two:
            line = event_log.read(connection, match.event)
            detail = line.event.detail if isinstance(line.event, Matched) else {}
            return Stored(match=match, at=line.entry.at, detail=detail)
    return None


def _today(
    connection: Connection, found: Mapping[Any, Record], two: Pair, configuration: Configuration
) -> Mapping[str, Any]:
    nationals = store_nationals.held(connection, two)
    states = (State(demographics=found[key].demographics, nationals=nationals.get(key, ())) for key in two)
    one, other = map(seen, states)
    return compare_fully(one, other, configuration).plain
