"""Arithmetic on the inputs and nothing else, so that whoever doubts an assumption changes it and looks."""

from dataclasses import dataclass
from math import ceil

from benchmarks.day.arrivals import SHARES
from benchmarks.scale.inputs import (
    ADDED,
    AUDIT_ROWS,
    AUDIT_YEARS,
    BACKUP_PRICE,
    BUSY,
    COPIES,
    CORES,
    DATABASE_CPU,
    DOCUMENT_ROWS,
    DOCUMENT_SIZE,
    EACH_SUBMISSION,
    LOOSE,
    NODE_CPU,
    NODE_PRICE,
    OBJECT_COPIES,
    OBJECT_PRICE,
    PATIENTS,
    PEAK,
    RECORD_ROWS,
    RECORDS_EACH,
    SHARD,
    SHARD_PRICE,
)

DAY = 86_400
TERA = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What so many documents need."""

    documents: float

    @property
    def requests_a_day(self) -> float:
        """ITI-41 has a known share of all requests."""
        return ADDED.value / EACH_SUBMISSION.value / 365 / (SHARES["ITI-41"] / 100)

    @property
    def peak(self) -> float:
        """Requests a second."""
        return self.requests_a_day / DAY * PEAK.value

    @property
    def node_cores(self) -> float:
        """Cores of application servers."""
        return self.peak * NODE_CPU.value / 1e3 / BUSY.value

    @property
    def database_cores(self) -> float:
        """Cores of the primaries; standbys repeat what is written alone."""
        return self.peak * DATABASE_CPU.value / 1e3 / BUSY.value

    @property
    def registry(self) -> float:
        """Bytes."""
        return self.documents * DOCUMENT_ROWS.value * LOOSE.value

    @property
    def index(self) -> float:
        """Bytes."""
        return PATIENTS.value * RECORDS_EACH.value * RECORD_ROWS.value * LOOSE.value

    @property
    def audit(self) -> float:
        """Bytes."""
        return self.requests_a_day * 365 * AUDIT_YEARS.value * AUDIT_ROWS.value * LOOSE.value

    @property
    def database(self) -> float:
        """Bytes of one copy."""
        return self.registry + self.index + self.audit

    @property
    def objects(self) -> float:
        """Raw bytes of documents."""
        return self.documents * DOCUMENT_SIZE.value * OBJECT_COPIES.value

    @property
    def nodes(self) -> int:
        """Application servers, one of which may be missing."""
        return ceil(self.node_cores / CORES.value) + 1

    @property
    def shards(self) -> int:
        """Primaries: for their bytes or for their cores, whichever needs more."""
        return max(ceil(self.database / TERA / SHARD.value), ceil(self.database_cores / CORES.value))

    @property
    def cost(self) -> float:
        """€ a month."""
        servers = self.nodes * NODE_PRICE.value + self.shards * COPIES.value * SHARD_PRICE.value
        return servers + self.objects / TERA * OBJECT_PRICE.value + self.database / TERA * BACKUP_PRICE.value
