"""What was tried with a foreign client, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the table."""

    verdict: str
    wire: str
    transaction: str
    name: str
    remark: str

    @property
    def held(self) -> bool:
        """Claim that the node did what was expected."""
        return self.verdict == "ok"


def case(transaction: str, name: str, body: Callable[[], str], wire: str = "plain") -> Case:
    """Run ``body``, which returns a remark or raises if the node did not do what the standard says."""
    try:
        verdict, remark = "ok", body()
    except Exception as error:  # whatever a foreign library raises is a result
        verdict, remark = "FAILED", f"{type(error).__name__}: {error}"
    return Case(verdict=verdict, wire=wire, transaction=transaction, name=name, remark=" ".join(remark.split())[:2000])
