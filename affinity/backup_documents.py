"""The documents of a backup: a copy of the store's files, of which nothing changes but the key that they are under.

Whatever lies in the backup already, under the same key, is not copied again; nothing is written in place, so that hard
links to an earlier state (``cp -al``) stay what they were.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ihe.durable import fsync, make_directory
from xds.encryption import HEADER, sealed_size
from xds.file_store import PLAIN, SEALED

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
CONTENT = Path("documents") / "content"
"""Where the files are, below a data directory and below a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How many files were copied, and their bytes."""

    files: int
    size: int

    def __add__(self, other: "Copied") -> "Copied":
        return Copied(files=self.files + other.files, size=self.size + other.size)


def copy_documents(data: Path, backup: Path) -> Copied:
    """Copy what the backup does not have yet. A document that is removed meanwhile is left out."""
    files = size = 0
    for source in _files(data / CONTENT):
        target = backup / CONTENT / source.relative_to(data / CONTENT)
        with suppress(FileNotFoundError):
            taken = source.stat().st_size
            if not _has(target, taken) or _was_rewrapped(source, target):
                copy_file(source, target)
                files, size = files + 1, size + taken
    return Copied(files=files, size=size)


def lacking(backup: Path, contents: Iterable[tuple[str, int]]) -> Iterator[str]:
    """The SHA-256 of each of these documents that the backup does not have in full."""
    for sha256, size in contents:
        shard = backup / CONTENT / sha256[:2] / sha256[2:4]
        whole = _has(shard / f"{sha256}{SEALED}", sealed_size(size)) or _has(shard / f"{sha256}{PLAIN}", size)
        if not whole:
            yield sha256


def prune_documents(backup: Path, is_referenced: Callable[[str], bool]) -> int:
    """Remove what nothing refers to any more; how many files that were."""
    unwanted = [file for file in _files(backup / CONTENT) if not is_referenced(file.stem)]
    for file in unwanted:
        file.unlink()
    return len(unwanted)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file whole or not at all, readable by its owner alone, with its time of change, and durably."""
    make_directory(target.parent)
    draft = target.with_name(f".{target.name}.copying")
    with source.open("rb") as read, os.fdopen(os.open(draft, FLAGS, 0o600), "wb") as written:
        changed = os.fstat(read.fileno()).st_mtime_ns
        shutil.copyfileobj(read, written, 2**20)
        written.flush()
        os.utime(written.fileno(), ns=(changed, changed))
        os.fsync(written.fileno())
    draft.replace(target)
    fsync(target.parent)


def _files(content: Path) -> Iterator[Path]:
    return (each for each in content.glob("*/*/*") if each.suffix in (SEALED, PLAIN))


def _was_rewrapped(source: Path, target: Path) -> bool:
    """Claim that the two are sealed under different keys. Where their times are the same, neither is opened.

    A copy without the time of its document, as earlier versions made them, gets it once the two are found alike.
    """
    changed = source.stat().st_mtime_ns
    if source.suffix != SEALED or changed == target.stat().st_mtime_ns:
        return False
    if _header(source) != _header(target):
        return True
    os.utime(target, ns=(changed, changed))
    return False


def _header(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(HEADER)


def _has(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size == size
    except FileNotFoundError:
        return False
