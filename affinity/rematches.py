"""``affinity pix rematch``: where it stopped is kept in the data directory; a dry run leaves nothing behind."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from affinity.shadows import names_of
from ihe.durable import write_whole
from ihe.exchange import Transactor
from ihe.identifiers import PatientKey
from pix import event_log, store_records, trial
from pix.effects import Effects, effects
from pix.locks import Alone
from pix.manager import PatientIndex
from pix.model import Origin
from pix.notifications import Outbox
from pix.rematching import EXAMPLES, TRANSACTION, Example, Reached, Step, Transition, rematch

NOTE = "rematch.json"
"""File of the data directory that says how far a rematch got that was stopped."""
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
    note = data / NOTE
    begun = _read(note, index) or Reached(began=index.database.read(event_log.newest))
    summary = _work(index, operator, begun, progress, lambda reached: _write(note, index, reached))
    note.unlink(missing_ok=True)
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


def _write(note: Path, index: PatientIndex, reached: Reached) -> None:
    """Whole or not at all, and after the piece was stored: a piece that is done twice changes nothing."""
    plain = {
        **_in_force(index),
        "began": reached.began,
        "step": reached.step.value,
        "last": reached.last,
        "done": reached.done,
        "verdicts": [[*transition, count] for transition, count in reached.verdicts.items()],
    }
    write_whole(note, json.dumps(plain).encode())


def _read(note: Path, index: PatientIndex) -> Reached | None:
    plain = json.loads(note.read_text()) if note.is_file() else {}
    if not _in_force(index).items() <= plain.items():
        return None
    return Reached(
        began=plain["began"],
        step=Step(plain["step"]),
        last=PatientKey(plain["last"]),
        done=plain["done"],
        verdicts={(before, after): count for before, after, count in plain["verdicts"]},
    )


def _in_force(index: PatientIndex) -> dict[str, str]:
    return {"version": index.matching.version, "mode": index.mode.value}
