"""Files of patients into the index. How far a file is stands in the database, in the transaction of its lines."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC

from sqlalchemy import Connection

from affinity.bulk.lookout import Lookout
from affinity.bulk.preparing import prepared
from affinity.bulk.reading import Batch, Sound, Source, Unsound, digest
from affinity.bulk.rejects import Reject, Rejects, dry_run_of, of_index, rejects_of
from ihe.domain import AffinityDomain
from pix import store_loads
from pix.loading import Verdicts
from pix.manager import PatientIndex
from pix.model import Origin
from pix.newcomers import Line
from pix.recent import Recent
from pix.store_loads import Progress

TRANSACTION = "load"
"""What the events of a load have in place of a transaction's name; their message id is FILE:LINE."""
Advance = Callable[[int], None]
"""Told how many bytes more are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one file. ``already`` lines were loaded by an earlier run."""

    lines: int
    already: int
    stored: int
    rejected: int


def check(source: Source, domain: AffinityDomain, advance: Advance) -> Outcome:
    """Read every line and write the rejects; nothing is stored, so what the index itself would refuse is not found."""
    lines = rejected = size = position = 0
    with Rejects(dry_run_of(source.file)) as rejects:
        rejects.begin(0)
        for batch in prepared(source, domain):
            unsound = [each for each in batch.lines if isinstance(each, Unsound)]
            size = rejects.write(size, _rejects(unsound))
            lines, rejected = lines + len(batch.lines), rejected + len(unsound)
            advance(batch.end - position)
            position = batch.end
    return Outcome(lines=lines, already=0, stored=lines - rejected, rejected=rejected)


def load(source: Source, index: PatientIndex, advance: Advance, lookout: Lookout | None = None) -> Outcome:
    """Store every line that is not in the index yet. After a crash the same call stores the rest, each line once.

    With a ``lookout`` a process that reads ahead also looks for whom a line may be about.
    """
    begun = _begin(source, index)
    advance(begun.position)
    with Rejects(rejects_of(source.file)) as rejects:
        done = replace(begun, rejects_size=rejects.begin(begun.rejects_size))
        if not begun.is_complete:
            recent = Recent() if lookout else None
            with closing(prepared(source, index.domain, begun.position, begun.line, lookout)) as coming:
                for batch in coming:
                    after = _store(batch, done, index, rejects, recent)
                    advance(after.position - done.position)
                    done = after
    return Outcome(
        lines=done.stored + done.rejected,
        already=begun.stored + begun.rejected,
        stored=done.stored,
        rejected=done.rejected,
    )


def forget(source: Source, index: PatientIndex) -> None:
    """Let a file be new, although it was loaded before."""
    found = digest(source.file)
    index.database.write(lambda connection: store_loads.forget(connection, found, source.source))


def _begin(source: Source, index: PatientIndex) -> Progress:
    found, now = digest(source.file), _now(index)
    known = index.database.read(lambda connection: store_loads.progress(connection, found, source.source))
    return known or Progress(
        digest=found,
        source=source.source,
        name=source.file.name,
        size=source.file.stat().st_size,
        started=now,
        updated=now,
    )


def _store(batch: Batch, done: Progress, index: PatientIndex, rejects: Rejects, recent: Recent | None) -> Progress:
    """One transaction: the lines of the batch, and that they are done."""
    if recent is not None:
        recent.forget(batch.seen)
    sound = [each for each in batch.lines if isinstance(each, Sound)]
    unsound = [each for each in batch.lines if isinstance(each, Unsound)]
    after = done

    def keep(connection: Connection, verdicts: Verdicts) -> None:
        nonlocal after
        refused = _refused(sound, verdicts)
        lines = {number for number, *_ in refused}
        after = replace(
            done,
            position=batch.end,
            line=batch.line,
            stored=done.stored + len(sound) - len(lines),
            rejected=done.rejected + len(unsound) + len(lines),
            # Before the commit: if there is none, the next run cuts this off, and meets the same lines again.
            rejects_size=rejects.write(done.rejects_size, sorted([*_rejects(unsound), *refused])),
            updated=_now(index),
        )
        store_loads.keep(connection, after)

    index.load([_entry(each, done) for each in sound], keep, recent)
    return after


def _entry(line: Sound, done: Progress) -> Line:
    origin = Origin(
        source=line.source,
        message_id=f"{done.name}:{line.number}",
        digest=done.digest,
        answer=b"",
        transaction=TRANSACTION,
    )
    return Line(origin, line.patient, line.sighting)


def _refused(sound: list[Sound], verdicts: Verdicts) -> list[Reject]:
    pairs = zip(sound, verdicts, strict=True)
    return [each for line, verdict in pairs if verdict for each in of_index(line.number, verdict)]


def _rejects(lines: Iterable[Unsound]) -> Iterator[Reject]:
    for each in lines:
        yield from ((each.number, rule, reason) for rule, reason in each.breaches)


def _now(index: PatientIndex) -> str:
    return index.clock().astimezone(UTC).isoformat()
