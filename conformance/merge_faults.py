"""A merge at fault as a row of a table of tests."""

from dataclasses import dataclass

from conformance.covering import Covering
from conformance.merges import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeFault:
    """One thing that makes a merge void, and the assertion that says so."""

    id: str
    fault: Fault
    covering: Covering

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        return f"{(self.fault.__doc__ or '').rstrip('.')}: nothing is changed."
