"""Where a rematch stopped: a note in the data directory, of use under the configuration that it was begun with."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ihe.durable import write_whole
from ihe.identifiers import PatientKey
from pix.matching.configuration import Configuration
from pix.matching.mode import Mode
from pix.rematching import Reached, Step

NOTE = "rematch.json"
"""File of the data directory that says how far a rematch got that was stopped."""


def write_note(data: Path, matching: Configuration, mode: Mode, reached: Reached) -> None:
    """Whole or not at all, and after the piece was stored: a piece that is done twice changes nothing."""
    plain = {
        **_in_force(matching, mode),
        "began": reached.began,
        "step": reached.step.value,
        "last": reached.last,
        "done": reached.done,
        "verdicts": [[*transition, count] for transition, count in reached.verdicts.items()],
    }
    write_whole(data / NOTE, json.dumps(plain).encode())


def read_note(data: Path, matching: Configuration, mode: Mode) -> Reached | None:
    """Where it stopped; None: nowhere, or not under this configuration and version of the program."""
    plain = _plain(data)
    if not _in_force(matching, mode).items() <= plain.items():
        return None
    return Reached(
        began=plain["began"],
        step=Step(plain["step"]),
        last=PatientKey(plain["last"]),
        done=plain["done"],
        verdicts={(before, after): count for before, after, count in plain["verdicts"]},
    )


def keep_note(data: Path, matching: Configuration, mode: Mode) -> None:
    """A node begins to take feeds: keep the note only if it decides them as the rest of the rematch will.

    To go on where it was would leave out what was fed under other weights, or while matching was off.
    """
    if read_note(data, matching, mode) is None:
        forget_note(data)


def forget_note(data: Path) -> None:
    """The rematch is done, or has to be done from the beginning."""
    (data / NOTE).unlink(missing_ok=True)


def _plain(data: Path) -> dict[str, Any]:
    note = data / NOTE
    plain: dict[str, Any] = json.loads(note.read_text()) if note.is_file() else {}
    return plain


def _in_force(matching: Configuration, mode: Mode) -> dict[str, str]:
    return {"version": matching.version, "mode": mode.value, "program": version("affinity-ihe")}
