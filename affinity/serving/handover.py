"""What a parent hands down to its workers: open descriptors, and where to read the settings again.

It goes through a pipe, for command lines and environments can be read by others.
"""

import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from affinity.settings import Settings


class Unlike(ValueError):
    """The settings are now others in what a parent cannot change while it serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where settings come from, beside the environment: the file, and the options of the command line."""

    config: str | None
    overrides: Mapping[str, Any]

    def load(self) -> "Settings":
        """Read them as they are now. Raises pydantic.ValidationError."""
        from affinity.settings import load  # the parent, which never asks, is to stay small

        return load(Path(self.config) if self.config else None, dict(self.overrides))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Descriptors by name of the port, the lock of the data directory, the two ends of the bell.

    The rest is what the parent needs to know of the settings, which it does not read.
    """

    given: Given
    workers: int
    data: str
    host: str
    drain_seconds: float
    log_format: str
    log_level: str
    sockets: Mapping[str, int]
    lock: int
    heard: int
    rung: int
    bound: str
    """Digest of the settings that all workers must share: ports, data directory, database."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Everything that is inherited."""
        return (*self.sockets.values(), self.lock, self.heard, self.rung)

    def ports(self) -> dict[str, int]:
        """The numbers of the ports."""
        found = {}
        for name, descriptor in self.sockets.items():
            with socket.socket(fileno=os.dup(descriptor)) as bound:
                found[name] = bound.getsockname()[1]
        return found

    def keep(self) -> None:
        """Let no other program inherit them."""
        _pass_on(self.descriptors, inheritable=False)

    def pass_on(self) -> None:
        """Let the program that takes the place of this one inherit them."""
        _pass_on(self.descriptors, inheritable=True)

    def settings(self) -> "Settings":
        """Read the settings again. Raises Unlike, pydantic.ValidationError."""
        settings = self.given.load()
        if digest(settings) != self.bound:
            raise Unlike("listen, data and database_url are what the parent began with: stop the node, and start it")
        return settings

    def write(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """The inverse of ``write``."""
        written = json.loads(line)
        return cls(**{**written, "given": Given(**written["given"])})


def digest(settings: "Settings") -> str:
    """What a rolling restart cannot change, as a digest: a URL may hold a password."""
    parts = (settings.listen.model_dump_json(), str(settings.data.resolve()), settings.database)
    return sha256("\n".join(parts).encode()).hexdigest()


def _pass_on(descriptors: Iterable[int], *, inheritable: bool) -> None:
    for each in descriptors:
        os.set_inheritable(each, inheritable)
