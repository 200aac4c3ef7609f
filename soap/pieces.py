"""Bytes in pieces that are worth a thread: for each that one hands to another, the two wait for one another."""

from collections.abc import Iterable, Iterator


def together(chunks: Iterable[bytes], least: int) -> Iterator[bytes]:
    """The same bytes in pieces of ``least`` or a little more, the last one shorter; never empty ones."""
    some: list[bytes] = []
    size = 0
    for chunk in chunks:
        some.append(chunk)
        size += len(chunk)
        if size >= least:
            yield b"".join(some)
            some, size = [], 0
    if size:
        yield b"".join(some)
