"""What there is to count of the document store, for whoever watches a node."""

from dataclasses import dataclass

from affinity.database import Database
from affinity.scrubbing import STATE, Round, last_round
from affinity.settings import Settings
from xds import repository_store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreNumbers:
    """Documents that may be retrieved, their bytes, and the round of scrubbing that is going on or was the last."""

    documents: int
    size: int
    scrub: Round | None


def store_numbers(settings: Settings, database: Database) -> StoreNumbers:
    """Count; one pass through the table of documents."""
    documents, size = database.read(repository_store.count_retrievable)
    return StoreNumbers(documents=documents, size=size, scrub=last_round(settings.data / STATE))
