"""Which assertions a test covers, and which part of a system it is for: what stands above each test of a suite."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ihe.transactions import Actor

Test = TypeVar("Test", bound=Callable[..., Any])
COVERS = "covers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite: a module of ``conformance.suites`` has one as ``SUITE``.

    ``option`` None: every system that claims the actor must pass it. ``needs`` are actors beside it.
    """

    actor: Actor
    profile: str
    option: str | None = None
    needs: tuple[Actor, ...] = ()

    @property
    def name(self) -> str:
        """``document-registry(XDS.b)_metadata-update``, as reports and ``--suite`` spell it."""
        plain = f"{_hyphened(self.actor)}({self.profile})"
        return f"{plain}_{_hyphened(self.option)}" if self.option else plain


def covers(*assertions: str) -> Callable[[Test], Test]:
    """Say which assertions of the catalogue a test shows; its verdict is theirs."""

    def said(test: Test) -> Test:
        test.__dict__[COVERS] = assertions
        return test

    return said


def covered(test: Callable[..., Any]) -> tuple[str, ...]:
    """The assertions that stand above a test."""
    found: tuple[str, ...] = getattr(test, COVERS, ())
    return found


def _hyphened(text: str) -> str:
    return text.lower().replace(" ", "-")
