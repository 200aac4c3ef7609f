"""What one of several nodes on one database has at a time, as long as it does something that only one may do."""

from collections.abc import Callable
from dataclasses import dataclass

ELSEWHERE = 1.0
"""Seconds after which to ask again while another node has it."""


def always() -> bool:
    """Nothing takes it away."""
    return True


@dataclass(frozen=True, slots=True)
class Shift:
    """Whether this node has it, or another one; ``lasts`` asks whether it has it still.

    It does not if the connection that keeps it was cut: another node may have it then.
    """

    is_mine: bool
    lasts: Callable[[], bool] = always
