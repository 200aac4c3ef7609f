"""Which assertions a test covers, and which part of a system it is for: what stands above each test of a suite."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from ihe.transactions import Actor

Test = TypeVar("Test", bound=Callable[..., Any])
COVERS = "covering"


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


@dataclass(frozen=True, slots=True)
class Covering:
    """The assertions that a test shows, and those of senders that its message breaks, to see it refused."""

    assertions: tuple[str, ...] = ()
    breaking: tuple[str, ...] = ()

    def __add__(self, other: "Covering") -> "Covering":
        return Covering((*self.assertions, *other.assertions), (*self.breaking, *other.breaking))

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return frozenset((*self.assertions, *self.breaking))


@runtime_checkable
class Case(Protocol):
    """One row of a table of tests: the parameter ``case`` of a test is one."""

    @property
    def sentence(self) -> str:
        """What it shows, for people."""

    @property
    def covering(self) -> Covering:
        """Beside what stands above the test."""


def covers(*assertions: str, breaking: tuple[str, ...] = ()) -> Callable[[Test], Test]:
    """Say which assertions of the catalogue a test shows; its verdict is theirs."""

    def said(test: Test) -> Test:
        test.__dict__[COVERS] = Covering(assertions, breaking)
        return test

    return said


def covering(test: Callable[..., Any]) -> Covering:
    """What stands above a test."""
    found: Covering = getattr(test, COVERS, Covering())
    return found


def _hyphened(text: str) -> str:
    return text.lower().replace(" ", "-")
