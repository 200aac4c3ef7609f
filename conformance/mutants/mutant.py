"""One thing that is wrong with a server, and how it is switched on and off while the server runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

Switch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``breaks`` are the assertions that the server no longer keeps; a test that covers one of them must fail."""

    name: str
    sentence: str
    breaks: frozenset[str]
    switched: Switch


@contextmanager
def replaced(where: str, other: Any) -> Iterator[None]:
    """Put ``other`` in the place of ``package.module:name`` (or ``:Class.name``), and back."""
    owner, name = _place(where)
    before = getattr(owner, name)
    _put(owner, name, other)
    try:
        yield
    finally:
        _put(owner, name, before)


@contextmanager
def changed(value: object, **attributes: Any) -> Iterator[None]:
    """Change attributes of a frozen value that everybody shares, and change them back."""
    before = {name: getattr(value, name) for name in attributes}
    for name, other in attributes.items():
        object.__setattr__(value, name, other)
    try:
        yield
    finally:
        for name, former in before.items():
            object.__setattr__(value, name, former)


def original(where: str) -> Any:
    """What stands at ``package.module:name``."""
    owner, name = _place(where)
    return getattr(owner, name)


def _place(where: str) -> tuple[Any, str]:
    module, _, path = where.partition(":")
    *holders, name = path.split(".")
    owner: Any = import_module(module)
    for each in holders:
        owner = getattr(owner, each)
    return owner, name


def _put(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)
