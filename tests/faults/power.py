"""A power cut on a disk that keeps what was synced, and nothing else (``power.c``)."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """``root`` is the disk; in ``kept``, on the same file system, the library notes what would outlast a cut."""

    root: Path
    kept: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the library has to know."""
        return {"POWER_ROOT": str(self.root), "POWER_KEPT": str(self.kept)}

    def note(self) -> None:
        """Note as synced all that is on the disk."""
        for each in ("files", "directories", "pins"):
            (self.kept / each).mkdir(parents=True)
        for each in (self.root, *self.root.rglob("*")):
            number = str(each.stat().st_ino)
            if each.is_dir():
                (self.kept / "directories" / number).write_text("".join(map(_entry, os.scandir(each))))
            else:
                shutil.copy(each, self.kept / "files" / number)
                os.link(each, self.kept / "pins" / number)

    def cut(self) -> None:
        """Leave on the disk what was synced: of a file that never was no byte, of a directory that never was no entry.

        Nobody may be writing any more.
        """
        before = self.root.with_name(f"{self.root.name}.before")
        self.root.rename(before)
        self._restore_directory(before.stat().st_ino, self.root)
        shutil.rmtree(before)
        shutil.rmtree(self.kept)
        self.note()

    def _restore_directory(self, number: int, path: Path) -> None:
        path.mkdir(mode=0o700)
        noted = self.kept / "directories" / str(number)
        for line in noted.read_text().splitlines() if noted.exists() else ():
            kind, entry, name = line.split(" ", 2)
            restore = self._restore_directory if kind == "d" else self._restore_file
            restore(int(entry), path / name)

    def _restore_file(self, number: int, path: Path) -> None:
        noted = self.kept / "files" / str(number)
        if noted.exists():
            shutil.copy(noted, path)
        else:
            path.touch()


def _entry(entry: os.DirEntry[str]) -> str:
    return f"{'d' if entry.is_dir() else 'f'} {entry.inode()} {entry.name}\n"
