"""Documents whose metadata was removed: retrievable until Remove Documents, and bound to their bytes (RMD: 44.4.1)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ihe.identifiers import UniqueId
from xds.iti62 import ITI_62
from xds.model import MetadataObject, Submission
from xds.repository import DocumentRepository

Keep = Callable[[str, bytes, str], Path]
REPORT = UniqueId("2.25.400.1^1")


def test_a_document_without_metadata_is_retrievable_until_it_is_removed(
    repository: DocumentRepository, keep: Keep, holdings: Any, submission: Submission
) -> None:
    path = keep(REPORT, b"potassium 4.1 mmol/L", "text/plain")
    holdings.register(submission)
    everything = tuple(each.entry_uuid for kind in MetadataObject for each in holdings.of(kind))
    ITI_62.handle(everything, holdings.registry, holdings.exchange)
    assert holdings.of(MetadataObject.DOCUMENT_ENTRY) == []
    assert list(repository.documents([REPORT])) == [REPORT]
    repository.remove([REPORT], holdings.exchange.received_at)
    assert list(repository.documents([REPORT])) == []
    assert not path.exists()
