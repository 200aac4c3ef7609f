"""The formats of a file of patients, and how it is known which one a file has."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from affinity.bulk import csv_lines, fhir_reading, fhir_writing
from affinity.bulk.line import PatientLine
from ihe.domain import AffinityDomain

Read = Callable[[str], PatientLine]
"""Reads one line, without its end; raises Unreadable."""
Write = Callable[[PatientLine], str]
"""Writes one line with its end."""


class Format(StrEnum):
    """How a file holds patients, one a line."""

    CSV = "csv"
    FHIR = "fhir"

    @property
    def has_header(self) -> bool:
        """Claim that the first line is no patient."""
        return self is Format.CSV

    @property
    def header(self) -> str:
        """What a file begins with."""
        return csv_lines.header() if self.has_header else ""

    @property
    def write(self) -> Write:
        """What writes one line."""
        return csv_lines.write if self is Format.CSV else fhir_writing.write

    def reader(self, first: str, domain: AffinityDomain) -> Read:
        """What reads the lines of a file that begins with the line ``first``. Raises Unreadable for a wrong header."""
        return csv_lines.reader(first, domain) if self is Format.CSV else fhir_reading.reader(domain)


ENDINGS = {".csv": Format.CSV, ".ndjson": Format.FHIR, ".jsonl": Format.FHIR}


def format_of(file: Path) -> Format:
    """The format by the ending of the name. Raises ValueError for any other one."""
    if file.suffix.lower() not in ENDINGS:
        raise ValueError(f"{file}: the name ends in none of {', '.join(ENDINGS)}; say --format csv or --format fhir")
    return ENDINGS[file.suffix.lower()]
