"""What a node knows of its last backup: a note in the data directory, written when the backup was complete."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ihe.durable import write_whole

FILE = "backup.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupNote:
    """When a backup was complete, and where it lies."""

    at: datetime
    directory: str


def read_note(data: Path) -> BackupNote | None:
    """The note, None where there is none or one that nobody can read."""
    try:
        written = json.loads((data / FILE).read_text())
        return BackupNote(at=datetime.fromisoformat(written["at"]), directory=str(written["directory"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_note(data: Path, note: BackupNote) -> None:
    """Whole or not at all."""
    told = json.dumps({"at": note.at.isoformat(), "directory": note.directory})
    write_whole(data / FILE, f"{told}\n".encode())
