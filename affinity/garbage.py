"""How seldom Python looks for garbage in this program."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (20_000, 20, 50)
"""New objects before the youngest are looked at, and how often the older ones are. Imports make none, and a request
makes few cycles: with fifty under way Python's own 700 look at the same living objects again and again."""
RARELY = (1_000_000, 20, 50)
"""The same while records are made: they hold no cycles, and looking takes a fifth of the time."""


def look_seldom() -> None:
    """From now on. Called before the imports of a node, it saves a sixth of its start."""
    gc.set_threshold(*SELDOM)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let what is there alone, and look at what is new a thousand times more rarely than usual."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
