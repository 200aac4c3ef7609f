"""A registry with one report in one folder, and an administrator who removes by what things are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import EntryUUID
from soap.xml import parse
from xds.iti62 import ITI_62
from xds.model import MetadataObject, Submission
from xds.store import Registered

SHORT = {"SubmissionSet": "SS", "DocumentEntry": "DE", "Folder": "FD"}


def request_for(*uuids: str) -> bytes:
    references = "".join(f'<rim:ObjectRef id="{uuid}"/>' for uuid in uuids)
    return (
        '<lcm:RemoveObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" '
        'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        f"<rim:ObjectRefList>{references}</rim:ObjectRefList></lcm:RemoveObjectsRequest>"
    ).encode()


@dataclass(frozen=True)
class Administrator:
    """Removes what is named like ``SS1``, ``DE1``, ``FD1``, ``SS1-DE1``, ``FD1-DE1``, ``SS1-(FD1-DE1)``."""

    holdings: Any

    def ids(self) -> dict[str, EntryUUID]:
        """The ids of everything, by name."""
        return {name: uuid for uuid, name in self._names().items()}

    def _names(self) -> dict[EntryUUID, str]:
        names = dict(self._objects())
        associations: list[Registered] = self.holdings.of(MetadataObject.ASSOCIATION)
        ordered = sorted(associations, key=lambda each: each.target_object not in names)
        for each in ordered:
            source, target = names[self._end(each.source_object)], self._end(each.target_object)
            names[each.entry_uuid] = (
                f"{source}-({names[target]})" if "-" in names[target] else f"{source}-{names[target]}"
            )
        return names

    def _objects(self) -> Iterator[tuple[EntryUUID, str]]:
        for kind in list(MetadataObject)[:3]:
            for number, each in enumerate(self.holdings.of(kind), 1):
                yield each.entry_uuid, f"{SHORT[kind.value]}{number}"

    def _end(self, uuid: EntryUUID | None) -> EntryUUID:
        assert uuid is not None
        return uuid

    def remove(self, *names: str) -> None:
        """Remove Metadata; what has no such name is taken as a UUID. Rejected passes."""
        ids = self.ids()
        request = SOAPRequest(parse(request_for(*(ids.get(name, name) for name in names))))
        ITI_62.handle(ITI_62.decode(request), self.holdings.registry, self.holdings.exchange)

    def refused(self, *names: str) -> set[tuple[str, str]]:
        """The errors of a refused removal: what the error is about, and its code. Nothing is removed."""
        before, known = self.holdings.rows(), self._names()
        with pytest.raises(Rejected) as caught:
            self.remove(*names)
        assert self.holdings.rows() == before
        return {(known.get(EntryUUID(each.location), each.location), str(each.code)) for each in caught.value.breaches}


@pytest.fixture
def administrator(holdings: Any, submission: Submission) -> Administrator:
    """The registry after the good submission: DE1 in FD1, both in SS1."""
    holdings.register(submission)
    return Administrator(holdings)
