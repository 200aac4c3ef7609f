"""A second process that reads and checks lines while this one stores those before them.

Where it would have to wait for this one, it looks for whom the lines may be about, so that both are always at work.
"""

import fcntl
import marshal
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter

from affinity.bulk.line import Unreadable
from affinity.bulk.lookout import Lookout, Scouts, portable
from affinity.bulk.reading import Batch, Sound, Source, Unsound, batches
from affinity.garbage import rare_collections
from ihe.domain import AffinityDomain
from pix.loading import TOGETHER
from pix.rendering import Rendering
from pix.scouting import Sighting

Packed = tuple[bytes, int, int, int]
"""The lines of a batch, its end, the number of its last line, and what scouts saw before they looked for it."""
WORTH_A_PROCESS = 2**20
"""Bytes from which on a second process, which takes half a second to start, is any use."""
PIPE = 2**20
"""Bytes that wait between the processes, the most that Linux lets anybody have."""


def prepared(
    source: Source, domain: AffinityDomain, position: int = 0, line: int = 0, lookout: Lookout | None = None
) -> Generator[Batch, None, None]:
    """As ``reading.batches``; long files by a second process, which waits where this one cannot follow."""
    if source.file.stat().st_size - position < WORTH_A_PROCESS:
        yield from batches(source, domain, position, line)
    else:
        yield from _elsewhere(source, _portable(domain), position, line, portable(lookout) if lookout else None)


def _elsewhere(*task: object) -> Generator[Batch, None, None]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    fcntl.fcntl(ours.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
    process = context.Process(target=_send, args=(theirs, *task), daemon=True)
    process.start()
    theirs.close()  # so that the pipe ends with the process, however it ends
    try:
        while (received := ours.recv()) is not None:
            if isinstance(received, Unreadable):
                raise received
            yield _unpacked(received)
    except EOFError:
        raise RuntimeError("the process that reads the file has ended") from None
    finally:
        ours.close()
        process.join()


def _send(
    connection: Connection, source: Source, domain: AffinityDomain, position: int, line: int, lookout: Lookout | None
) -> None:
    """What the second process does; it ends when nobody listens any more, which is how it learns of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        try:
            with rare_collections():
                _send_batches(connection, batches(source, domain, position, line), lookout)
        except Unreadable as error:
            connection.send(error)
        connection.send(None)
    except BrokenPipeError:
        pass


def _send_batches(connection: Connection, coming: Iterator[Batch], lookout: Lookout | None) -> None:
    """Send each batch once the one before is taken. BrokenPipeError: nobody listens any more."""
    scouts = Scouts(lookout) if lookout else None
    with ThreadPoolExecutor(1) as thread:
        taken: Future[None] = thread.submit(lambda: None)
        for batch in coming:
            told = _scouted(batch, scouts, taken.done) if scouts else batch
            taken.result()
            taken = thread.submit(connection.send, _packed(told))
        taken.result()


def _scouted(batch: Batch, scouts: Scouts, is_wanted: Callable[[], bool]) -> Batch:
    """The batch with what is seen of as many of its lines as there is time for.

    Some at a time, as they will be used: each look keeps SQLite from using its log anew, so it must not take long.
    """
    seen, lines = scouts.seen(), list(batch.lines)
    sound = [(at, each) for at, each in enumerate(lines) if isinstance(each, Sound)]
    for start in range(0, len(sound), TOGETHER):
        if is_wanted():
            break
        some = sound[start : start + TOGETHER]
        found = scouts.look([each.patient for _, each in some])
        for (at, each), sighting in zip(some, found, strict=True):
            lines[at] = each._replace(sighting=sighting)
    return replace(batch, lines=tuple(lines), seen=seen)


def _packed(batch: Batch) -> Packed:
    """What consists of texts, numbers, tuples and sets alone is read in a tenth of the time by ``marshal``."""
    sound = [
        (each.number, each.source, tuple(each.patient), each.sighting and tuple(each.sighting))
        for each in batch.lines
        if isinstance(each, Sound)
    ]
    unsound = [tuple(each) for each in batch.lines if isinstance(each, Unsound)]
    return marshal.dumps((sound, unsound)), batch.end, batch.line, batch.seen


def _unpacked(packed: Packed) -> Batch:
    content, end, line, seen = packed
    sound, unsound = marshal.loads(content)
    lines = [
        Sound(number, source, Rendering._make(patient), sighting and Sighting._make(sighting))
        for number, source, patient, sighting in sound
    ]
    return Batch(tuple(sorted((*lines, *map(Unsound._make, unsound)), key=itemgetter(0))), end, line, seen)


def _portable(domain: AffinityDomain) -> AffinityDomain:
    """The domain as far as it is about patients' ids; its read-only mappings cannot be sent to a process."""
    authorities = tuple(replace(each, display=dict(each.display)) for each in domain.assigning_authorities)
    return replace(domain, assigning_authorities=authorities, codes={})
