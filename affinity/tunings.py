"""A proposed configuration put into force: ``affinity pix tune --apply``."""

from pathlib import Path

from affinity.domain import SHIPPED, locate
from affinity.matching_files import ACTIVE
from ihe.durable import write_whole


class ShippedDomain(ValueError):
    """The domain is part of the program; the text says what to do instead."""


def to_be_replaced(domain: str) -> Path:
    """Where the active configuration of a domain is, or would be. ShippedDomain: it is not for changing."""
    directory = locate(domain)
    if directory.resolve().is_relative_to(SHIPPED):
        raise ShippedDomain(f"{domain} is a shipped domain; make one of your own with `affinity init`, and name it")
    return directory / ACTIVE


def put_in_force(proposed: Path, active: Path) -> None:
    """Replace the active configuration, whole or not at all; the one before is kept beside it as ``.before``."""
    if active.is_file():
        write_whole(active.with_suffix(".toml.before"), active.read_bytes(), mode=0o644)
    write_whole(active, proposed.read_bytes(), mode=0o644)
