"""A second process that reads and checks lines while this one stores those before them."""

import marshal
from collections.abc import Generator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter

from affinity.bulk.line import Unreadable
from affinity.bulk.reading import Batch, Sound, Source, Unsound, batches
from affinity.garbage import rare_collections
from ihe.domain import AffinityDomain
from pix.rendering import Rendering

Packed = tuple[bytes, int, int]
"""The lines of a batch, its end, and the number of its last line."""
WORTH_A_PROCESS = 2**20
"""Bytes from which on a second process, which takes half a second to start, is any use."""


def prepared(source: Source, domain: AffinityDomain, position: int = 0, line: int = 0) -> Generator[Batch, None, None]:
    """As ``reading.batches``; long files by a second process, which waits where this one cannot follow."""
    if source.file.stat().st_size - position < WORTH_A_PROCESS:
        yield from batches(source, domain, position, line)
    else:
        yield from _elsewhere(source, domain, position, line)


def _elsewhere(source: Source, domain: AffinityDomain, position: int, line: int) -> Generator[Batch, None, None]:
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(theirs, source, _portable(domain), position, line), daemon=True)
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


def _send(connection: Connection, source: Source, domain: AffinityDomain, position: int, line: int) -> None:
    """What the second process does; it ends when nobody listens any more."""
    try:
        try:
            with rare_collections():
                for batch in batches(source, domain, position, line):
                    connection.send(_packed(batch))
        except Unreadable as error:
            connection.send(error)
        connection.send(None)
    except BrokenPipeError:
        pass


def _packed(batch: Batch) -> Packed:
    """What consists of texts, numbers, tuples and sets alone is read in a tenth of the time by ``marshal``."""
    sound = [(each.number, each.source, tuple(each.patient)) for each in batch.lines if isinstance(each, Sound)]
    unsound = [tuple(each) for each in batch.lines if isinstance(each, Unsound)]
    return marshal.dumps((sound, unsound)), batch.end, batch.line


def _unpacked(packed: Packed) -> Batch:
    content, end, line = packed
    sound, unsound = marshal.loads(content)
    lines = [Sound(number, source, Rendering._make(patient)) for number, source, patient in sound]
    return Batch(tuple(sorted((*lines, *map(Unsound._make, unsound)), key=itemgetter(0))), end, line)


def _portable(domain: AffinityDomain) -> AffinityDomain:
    """The domain as far as it is about patients' ids; its read-only mappings cannot be sent to a process."""
    authorities = tuple(replace(each, display=dict(each.display)) for each in domain.assigning_authorities)
    return replace(domain, assigning_authorities=authorities, codes={})
