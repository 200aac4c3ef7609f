"""``affinity pix rematch``: where it stopped is kept in the data directory; a dry run leaves nothing behind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from affinity.rematch_note import forget_note, read_note, write_note
from affinity.shadows import names_of
from ihe.exchange import Transactor
from pix import event_log, store_records, trial
from pix.effects import Effects, effects
from pix.locks import Alone
from pix.manager import PatientIndex
from pix.model import Origin
from pix.notifications import Outbox
from pix.rematching import EXAMPLES, TRANSACTION, Example, Reached, Step, Transition, rematch

Progress = Callable[[int], None]
"""Told how many records are done; each counts once in each of the three steps."""
STEPS = (Step.KEYS, Step.VERDICTS, Step.PERSONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a rematch changed: pairs by outcome before and after, persons, tasks, and some pairs of each kind."""

    version: str
    mode: str
    verdicts: dict[Transition, int]
    effects: Effects
    examples: tuple[tuple[str, str, Example], ...]


@dataclass(slots=True)
class _Shown:
    """The first pairs of each kind of change."""

    found: dict[Transition, list[Example]] = field(default_factory=dict)

    def take(self, example: Example) -> None:
        some = self.found.setdefault(example.transition, [])
        if len(some) < EXAMPLES:
            some.append(example)

    def __iter__(self) -> Iterator[Example]:
        return (each for transition in sorted(self.found) for each in self.found[transition])


def length(database: Transactor[Connection]) -> int:
    """How many steps there are in all: three for each record in use."""
    return len(STEPS) * database.read(store_records.count_current)


def run(index: PatientIndex, data: Path, operator: str, progress: Progress) -> Summary:
    """Do it, or go on where it was stopped, if that was with the same configuration."""
    begun = read_note(data, index.matching, index.mode) or Reached(began=index.database.read(event_log.newest))
    keep = partial(write_note, data, index.matching, index.mode)
    summary = _work(index, operator, begun, progress, keep)
    forget_note(data)
    return summary


def dry_run(index: PatientIndex, progress: Progress) -> Summary:
    """Say what it would change."""

    def work(inside: Transactor[Connection]) -> Summary:
        tried = replace(index, database=inside, locking=Alone, shadow=None, outbox=Outbox())
        return _work(tried, "", Reached(began=inside.read(event_log.newest)), progress, lambda reached: None)

    return trial.try_out(index.database, work)


def _work(
    index: PatientIndex, operator: str, begun: Reached, progress: Progress, keep: Callable[[Reached], None]
) -> Summary:
    origin = Origin(source=operator, message_id="", digest="", answer=b"", transaction=TRANSACTION)
    shown, records = _Shown(), index.database.read(store_records.count_current)

    def tell(reached: Reached) -> None:
        keep(reached)
        progress(_done(reached, records))

    reached = rematch(index, origin, begun, tell, shown.take)
    return index.database.read(lambda connection: _summary(connection, index, reached, tuple(shown)))


def _done(reached: Reached, records: int) -> int:
    passed = len(STEPS) if reached.step is Step.DONE else STEPS.index(reached.step)
    return passed * records + reached.done


def _summary(connection: Connection, index: PatientIndex, reached: Reached, shown: tuple[Example, ...]) -> Summary:
    names = names_of(connection, index.domain, {key for each in shown for key in each.pair})
    mine = (line for line in event_log.lines(connection, reached.began) if line.origin == TRANSACTION)
    return Summary(
        version=index.matching.version,
        mode=index.mode.value,
        verdicts=dict(sorted(reached.verdicts.items())),
        effects=effects(mine),
        examples=tuple((names[each.pair[0]], names[each.pair[1]], each) for each in shown),
    )
