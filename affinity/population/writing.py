"""A synthetic population as a file, and the truth beside it, line by line."""

import csv
from collections.abc import Callable
from pathlib import Path

from affinity.bulk.formats import Format
from affinity.bulk.line import PatientLine
from affinity.population.records import PopulationRecord, records
from affinity.population.sources import Sources

TRUTH = ("line", "person", "household", "source", "authority", "id", "tags")


def truth_of(file: Path) -> Path:
    """``population.csv``: ``population.truth.csv``."""
    return file.with_name(f"{file.stem}.truth.csv")


def write(file: Path, format: Format, persons: int, seed: int, sources: Sources, reached: Callable[[int], None]) -> int:
    """Write the records of ``persons`` people and the truth; how many records that are.

    ``reached`` is told after each record the highest number of a person so far.
    """
    line = 1 if format.has_header else 0
    first, highest = line, 0
    with file.open("w", encoding="utf-8", newline="") as lines, truth_of(file).open("w", encoding="utf-8") as truths:
        truth = csv.writer(truths, lineterminator="\n")
        truth.writerow(TRUTH)
        lines.write(format.header)
        for record in records(persons, seed, sources):
            line += 1
            lines.write(format.write(_line(record)))
            truth.writerow(_truth(line, record))
            if record.person > highest:
                highest = record.person
                reached(highest)
    return line - first


def _line(record: PopulationRecord) -> PatientLine:
    return PatientLine(source=record.source, identifiers=record.identifiers, demographics=record.demographics)


def _truth(line: int, record: PopulationRecord) -> tuple[object, ...]:
    number = record.identifiers[0]
    tags = " ".join(sorted(record.tags))
    return (line, record.person, record.household, record.source, number.authority.namespace_id, number.id, tags)
