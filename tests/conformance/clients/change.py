"""What clients under test have in common: how long they wait, and the one thing that one of them does wrong."""

from collections.abc import Callable
from typing import Any

from soap.client import FaultReceived, NoAnswer

SHORT, LONG = 1.0, 30.0
"""Seconds: of a client that shall give up, and of one that shall not."""
NOTHING_CAME = (OSError, NoAnswer, FaultReceived)
Change = Callable[[Any], Any]


def unchanged(value: Any) -> Any:
    return value
