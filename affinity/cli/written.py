"""Files that verbs write: there whole or not at all, so that half an export is never taken for one."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ihe.durable import drafted


@contextmanager
def written(file: Path, mode: int = 0o600) -> Iterator[TextIO]:
    """A text to write, which gets its name or replaces what has it when it is whole. Raises OSError with the name.

    What is no file, a pipe or a terminal, is written straight.
    """
    target = file.resolve()
    try:
        if file.exists() and not file.is_file():
            with file.open("w", encoding="utf-8", newline="") as straight:
                yield straight
            return
        with drafted(target, mode) as draft:
            text = io.TextIOWrapper(draft, encoding="utf-8", newline="")
            try:
                yield text
            finally:
                text.detach()
    except OSError as error:  # a full disk says no name
        error.filename = error.filename or os.fspath(file)
        raise


@contextmanager
def created(file: Path) -> Iterator[TextIO]:
    """The same for its owner alone, where no file is. FileExistsError, before anything is written, if there is one."""
    if file.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(file))
    with written(file) as text:
        yield text
