"""On which processors the threads of a node run.

Python runs one thread at a time, and gives way whenever SQLite, a file or a socket is asked. If the next thread waits
on another processor, it is woken there, and the one that gave way waits for it in turn. So a node's threads stay on
one; more processors are for more workers (``affinity serve --workers``, ``docs/decisions/0013``).
"""

import os
import socket
import threading
import zlib
from collections.abc import Collection
from contextlib import suppress

from affinity.settings import Settings

PROCESSORS: frozenset[int] = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()
"""Those that this process may use, as it began; empty where the system does not say."""


def chosen(settings: Settings, worker: int = 0) -> int | None:
    """The number of the processor for a process, None if it takes any: each worker of a node has another one.

    Nodes of one machine seldom begin with the same, also those in containers, whose process ids are all alike.
    """
    if not settings.limits.one_processor:
        return None
    return zlib.crc32(f"{socket.gethostname()} {settings.data.resolve()}".encode()) + worker


def keep_together(number: int, apart: Collection[threading.Thread] = ()) -> None:
    """Keep all threads, and those that they will start, on one processor, but for those that are ``apart``.

    ``number`` chooses it: processes with numbers that follow each other get different ones.
    """
    if len(PROCESSORS) < 2:
        return
    one = sorted(PROCESSORS)[number % len(PROCESSORS)]
    for each in threading.enumerate():
        if each not in apart and each.native_id is not None:
            with suppress(OSError):  # it has just ended, or the system does not allow it: then all is as it was
                os.sched_setaffinity(each.native_id, {one})
