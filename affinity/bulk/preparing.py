"""A second process that reads and checks lines while this one stores those before them."""

from collections.abc import Generator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection

from affinity.bulk.line import Unreadable
from affinity.bulk.reading import Batch, Sound, Source, batches
from ihe.domain import AffinityDomain
from pix.rendering import render

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
            yield received
    except EOFError:
        raise RuntimeError("the process that reads the file has ended") from None
    finally:
        ours.close()
        process.join()


def _send(connection: Connection, source: Source, domain: AffinityDomain, position: int, line: int) -> None:
    """What the second process does; it ends when nobody listens any more."""
    try:
        try:
            for batch in batches(source, domain, position, line):
                connection.send(_rendered(batch))
        except Unreadable as error:
            connection.send(error)
        connection.send(None)
    except BrokenPipeError:
        pass


def _rendered(batch: Batch) -> Batch:
    """With all that can be known of new patients without the index."""
    lines = (replace(each, rendering=render(each.feed)) if isinstance(each, Sound) else each for each in batch.lines)
    return replace(batch, lines=tuple(lines))


def _portable(domain: AffinityDomain) -> AffinityDomain:
    """The domain as far as it is about patients' ids; its read-only mappings cannot be sent to a process."""
    authorities = tuple(replace(each, display=dict(each.display)) for each in domain.assigning_authorities)
    return replace(domain, assigning_authorities=authorities, codes={})
