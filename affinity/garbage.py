"""How seldom Python looks for garbage in this program."""

import gc

SELDOM = (20_000, 20, 50)
"""New objects before the youngest are looked at, and how often the older ones are. Imports make none, and a request
makes few cycles: with fifty under way Python's own 700 look at the same living objects again and again."""


def look_seldom() -> None:
    """From now on. Called before the imports of a node, it saves a sixth of its start."""
    gc.set_threshold(*SELDOM)
