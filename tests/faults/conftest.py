"""Nodes that tests of faults start; they end with the test."""

from tests.end_to_end.conftest import Start, start

__all__ = ["Start", "start"]
