"""The file of the lines that were not loaded: number, rule, reason; as CSV beside the file that they are from."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from ihe.errors import Rejected

HEADER = ("line", "rule", "reason")
Reject = tuple[int, str, str]


class Rejects:
    """Made when the first line is rejected; what a killed load wrote too much is cut off again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def begin(self, size: int) -> int:
        """Keep the first ``size`` bytes of an earlier run; how many there are: somebody may have removed it."""
        if size == 0 or not self.file.exists():
            self.file.unlink(missing_ok=True)
            return 0
        kept = min(size, self.file.stat().st_size)
        os.truncate(self.file, kept)
        return kept

    def write(self, size: int, rejects: Iterable[Reject]) -> int:
        """Write behind the first ``size`` bytes, durably; the new size. To do it again changes nothing."""
        text = _lines(rejects, header=size == 0)
        if not text:
            return size
        if self._descriptor is None:
            self._descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.ftruncate(self._descriptor, size)
        os.pwrite(self._descriptor, text, size)
        os.fsync(self._descriptor)
        return size + len(text)


def rejects_of(file: Path) -> Path:
    """Where the rejects of a load are: ``FILE.rejects``."""
    return file.with_name(f"{file.name}.rejects")


def dry_run_of(file: Path) -> Path:
    """Where those of a dry run are: a load that was stopped still needs its own."""
    return file.with_name(f"{file.name}.dry-run.rejects")


def of_index(line: int, rejected: Rejected) -> tuple[Reject, ...]:
    """What the index itself refused, each breach with its code of HL7 table 0357."""
    return tuple((line, str(int(each.code)), each.text) for each in rejected.breaches)


def _lines(rejects: Iterable[Reject], *, header: bool) -> bytes:
    rows = list(rejects)
    if not rows:
        return b""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([HEADER, *rows] if header else rows)
    return written.getvalue().encode()
