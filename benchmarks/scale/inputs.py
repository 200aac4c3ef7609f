"""What the model reckons with: figures quoted from the page that says how they were measured, and assumptions."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure, the file that it is from, and the words there that hold it."""

    value: float
    unit: str
    what: str
    page: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """A figure that nobody measured here, and why it is what it is."""

    value: float
    unit: str
    what: str
    because: str


README = "benchmarks/README.md"
MIX = "node 10.4 ms, PostgreSQL 4.0 ms, 14.4 ms together"

ROWS = "| each document, bytes | 4,214 | 4,183 | 4,184 | 5,722 | 4,739 |"
GROWN = "| ITI-18 by patient, CPU | 2.5 ms | 3.4 ms | 1.4 |"
TAILS = "| ITI-18 by patient, p50 / p99 | 2.8 / 12.2 ms | 5.0 / 21.6 ms | 1.8 |"
FOUND = "| ITI-18 by patient, CPU | 2.5 ms | 3.4 ms | 1.4 | 8.4 ms | 8.1 ms |"


def _readme(value: float, unit: str, what: str, words: str) -> Measured:
    return Measured(value=value, unit=unit, what=what, page=README, words=words)


NODE_CPU = _readme(
    10.4, "ms", "CPU of a node for a request of the national day (mutual TLS, assertion, audit trail, PostgreSQL)", MIX
)
DATABASE_CPU = _readme(4.0, "ms", "CPU of PostgreSQL for the same", MIX)
DAY_CPU = _readme(14.4, "ms", "CPU of both", MIX)
DOCUMENT_ROWS = _readme(4739, "bytes", "registry rows and indexes of a document in PostgreSQL", ROWS)
RECORD_ROWS = _readme(
    5118,
    "bytes",
    "patient index of a record in PostgreSQL, at a million people",
    "| each record, bytes | 2,789 | 2,830 | | 5,735 | 5,118 | |",
)
RECORDS_EACH = _readme(
    1.729580,
    "",
    "records of a person, one for each source",
    "| records | 17,286 | 1,729,580 | | 17,286 | 1,729,580 | |",
)
AUDIT_ROWS = Measured(
    value=600,
    unit="bytes",
    what="an audit record with its indexes",
    page="docs/audit.md",
    words="about 600 bytes for each record, indexes included",
)
MEASURED = (NODE_CPU, DATABASE_CPU, DOCUMENT_ROWS, RECORD_ROWS, RECORDS_EACH, AUDIT_ROWS)
"""What the model reckons with."""

PARTS: Mapping[str, Measured] = {
    "ITI-18": _readme(8.1, "ms", "CPU of ITI-18", FOUND),
    "ITI-9": _readme(5.3, "ms", "CPU of ITI-9", "5.6 / 11.6 ms, 5.3 ms CPU"),
    "ITI-21": _readme(8.4, "ms", "CPU of ITI-21 by id", "8.7 / 10.9 ms, 8.4 ms CPU"),
    "ITI-47": _readme(11.4, "ms", "CPU of ITI-47", "12.1 / 20.1 ms, 11.4 ms CPU"),
    "ADT": _readme(25.4, "ms", "CPU of ADT^A28 over 50 connections", "68.0/s, 25.4 ms CPU"),
    "ITI-43": _readme(6.1, "ms", "CPU of ITI-43", "| ITI-43, CPU | 2.2 ms | 1.4 ms | 0.7 | 8.7 ms | 6.1 ms |"),
    "ITI-41": _readme(17.7, "ms", "CPU of ITI-41", "52.3/s, 17.7 ms CPU"),
}
SMALLER_ROWS = _readme(5722, "bytes", "registry rows and indexes of a document in a smaller registry", ROWS)
SMALLEST = _readme(2.5, "ms", "CPU of FindDocuments with ten thousand documents, SQLite", GROWN)
LARGEST = _readme(3.4, "ms", "CPU of FindDocuments with ten million, SQLite", GROWN)
CHECKED = (DAY_CPU, *PARTS.values(), SMALLER_ROWS, SMALLEST, LARGEST)
"""What it is checked against, or with."""

SMALLEST_TAIL = _readme(12.2, "ms", "p99 of FindDocuments with ten thousand documents, SQLite", TAILS)
LARGEST_TAIL = _readme(21.6, "ms", "p99 of FindDocuments with ten million, SQLite", TAILS)
TOLD = (SMALLEST_TAIL, LARGEST_TAIL)
"""What the page only tells."""

PATIENTS = Assumed(value=68e6, unit="people", what="patients", because="the population of France")
ADDED = Assumed(
    value=300e6,
    unit="documents/year",
    what="documents added",
    because="four or five a year for each person: results, reports, prescriptions",
)
EACH_SUBMISSION = Assumed(
    value=1.75, unit="documents", what="documents in a submission", because="one to three, as in the benchmark"
)
PEAK = Assumed(
    value=4,
    unit="× the mean",
    what="the busiest minutes",
    because="12 % of a day in its busiest hour is 2.9 times the mean; the rest is for bursts",
)
BUSY = Assumed(
    value=0.5,
    unit="of the cores",
    what="use at the peak",
    because="beyond it requests wait for each other, and half may fail",
)
LOOSE = Assumed(
    value=1.3,
    unit="×",
    what="database beyond what was measured",
    because="indexes were measured packed; random insertion leaves B-trees about 70 % full",
)
DOCUMENT_SIZE = Assumed(value=200e3, unit="bytes", what="a document", because="PDF and CDA; images are not stored here")
AUDIT_YEARS = Assumed(value=5, unit="years", what="audit records kept", because="a usual time to keep them")
COPIES = Assumed(value=2, unit="", what="copies of every database", because="a primary and a synchronous standby")
OBJECT_COPIES = Assumed(
    value=1.5, unit="×", what="raw bytes of a stored object", because="erasure coding, such as 8+4 parts"
)
CORES = Assumed(value=32, unit="cores", what="each server", because="an ordinary server")
SHARD = Assumed(
    value=6, unit="TB", what="database on a server", because="8 TB of flash with room for VACUUM and growth"
)
NODE_PRICE = Assumed(value=500, unit="€/month", what="an application server", because="hosted, 32 cores, 64 GB")
SHARD_PRICE = Assumed(
    value=1_200, unit="€/month", what="a database server", because="hosted, 32 cores, 256 GB, 8 TB of flash"
)
OBJECT_PRICE = Assumed(value=8, unit="€/TB/month", what="raw object storage", because="hosted, disks")
BACKUP_PRICE = Assumed(value=4, unit="€/TB/month", what="backup of the databases", because="disks elsewhere")
ASSUMED = (
    PATIENTS,
    ADDED,
    EACH_SUBMISSION,
    PEAK,
    BUSY,
    LOOSE,
    DOCUMENT_SIZE,
    AUDIT_YEARS,
    COPIES,
    OBJECT_COPIES,
    CORES,
    SHARD,
    NODE_PRICE,
    SHARD_PRICE,
    OBJECT_PRICE,
    BACKUP_PRICE,
)
