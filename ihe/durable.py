"""Files and directories that outlast a power cut, and are there whole or not at all.

A file keeps its bytes once it was synced, and its name once its directory was (fsync(2)). All raise OSError.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file in place, or in the place of another: a crash leaves what was there, or all of this."""
    with drafted(path, mode) as file:
        belong_like(file.fileno(), path if path.exists() else path.parent)
        file.write(content)


def create_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file where none is. FileExistsError rather than replace one."""
    with drafted(path, mode, os.link) as file:
        belong_like(file.fileno(), path.parent)
        file.write(content)


def make_directory(path: Path) -> None:
    """Make a directory that its owner alone can enter, and whichever of its parents are missing."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    fsync(path.parent)


def fsync(path: str | os.PathLike[str]) -> None:
    """Sync the bytes of a file, or the entries of a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def belong_like(descriptor: int, other: str | os.PathLike[str]) -> None:
    """Give a file of root's to whom another belongs: the node whose data it is could not read it otherwise."""
    if os.geteuid() == 0:
        found = Path(other).stat()
        os.fchown(descriptor, found.st_uid, found.st_gid)


@contextmanager
def drafted(path: Path, mode: int = 0o600, put: Callable[[Path, Path], object] = Path.replace) -> Iterator[BinaryIO]:
    """A file to write beside ``path``, which is put in its place once it is whole, and gone if it never is."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    fsync(path.parent)
