"""Removing versions, and removing while others link."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ihe.errors import Rejected
from ihe.exchange import SOAPRequest
from ihe.identifiers import EntryUUID, UniqueId
from soap.xml import parse
from xds.ebrim_writing import encode
from xds.iti57 import ITI_57
from xds.iti62 import ITI_62
from xds.model import Association, AssociationType, AvailabilityStatus, DocumentEntry, MetadataObject, Submission

ENTRY, ASSOCIATION = MetadataObject.DOCUMENT_ENTRY, MetadataObject.ASSOCIATION
DEPRECATED = AvailabilityStatus.DEPRECATED
Reports = Callable[..., Submission]
Relate = Callable[..., Association]


def update(holdings: Any, another_report: Reports, entry: DocumentEntry, n: int) -> None:
    """Make the next version of DE1, outside its folder; ``n`` numbers the SubmissionSet."""
    latest = holdings.of(ENTRY)[-1]
    new = replace(entry, entry_uuid=EntryUUID("New"), logical_id=latest.logical_id)
    packed = another_report(n)
    link = replace(packed.associations[0], target_object=EntryUUID("New"), previous_version=latest.version)
    link = replace(link, association_propagation=False)
    sent = encode(replace(packed, document_entries=(new,), associations=(link,)))
    ITI_57.handle(ITI_57.decode(SOAPRequest(parse(sent))), holdings.registry, holdings.exchange)


def test_the_first_version_goes_last(
    administrator: Any, holdings: Any, another_report: Reports, entry: DocumentEntry
) -> None:
    update(holdings, another_report, entry, 2)
    found = administrator.refused("DE1", "SS1-DE1", "FD1-DE1", "SS1-(FD1-DE1)")
    assert found == {("DE1", "ReferencesExistException")}


def test_all_versions_go_together(
    administrator: Any, holdings: Any, another_report: Reports, entry: DocumentEntry
) -> None:
    update(holdings, another_report, entry, 2)
    administrator.remove("DE1", "DE2", "SS1-DE1", "SS2-DE2", "SS2", "FD1-DE1", "SS1-(FD1-DE1)")
    assert sorted(administrator.ids()) == ["FD1", "SS1", "SS1-FD1"]


def test_without_the_latest_version_the_one_before_is_the_latest(
    administrator: Any, holdings: Any, another_report: Reports, entry: DocumentEntry
) -> None:
    for n in (2, 3):
        update(holdings, another_report, entry, n)
    administrator.remove("DE3", "SS3-DE3", "SS3")
    assert [(each.version, each.superseded) for each in holdings.of(ENTRY)] == [(1, True), (2, False)]
    assert holdings.of(ENTRY)[-1].status is DEPRECATED
    update(holdings, another_report, entry, 4)
    assert [(each.version, each.superseded) for each in holdings.of(ENTRY)] == [(1, True), (2, True), (3, False)]


def test_a_version_between_may_go(
    administrator: Any, holdings: Any, another_report: Reports, entry: DocumentEntry
) -> None:
    for n in (2, 3):
        update(holdings, another_report, entry, n)
    administrator.remove("DE2", "SS2-DE2", "SS2")
    assert [(each.version, each.superseded) for each in holdings.of(ENTRY)] == [(1, True), (3, False)]


def test_nothing_is_removed_while_something_is_linked_to_it(
    administrator: Any, holdings: Any, another_report: Reports, relate: Relate
) -> None:
    """Whoever is first: afterwards no association points nowhere."""
    names = ("SS1", "DE1", "FD1", "SS1-DE1", "SS1-FD1", "FD1-DE1", "SS1-(FD1-DE1)")
    uuids = tuple(administrator.ids()[name] for name in names)
    addendum = another_report(2, relate("Document2", AssociationType.APND, administrator.ids()["DE1"]))

    with ThreadPoolExecutor(2) as pool:
        removed = pool.submit(accepted, lambda: remove(holdings, uuids))
        registered = pool.submit(accepted, lambda: holdings.register(addendum))
    assert removed.result() != registered.result()
    objects = {each.entry_uuid for kind in MetadataObject for each in holdings.of(kind)}
    assert all({each.source_object, each.target_object} <= objects for each in holdings.of(ASSOCIATION))


def test_a_repeated_unique_id_is_claimed_or_released_but_never_lost(holdings: Any, another_report: Reports) -> None:
    for n in range(10, 20):
        unique_id = UniqueId(f"2.25.400.{n}")
        holdings.register(another_report(n))
        own = tuple(each.entry_uuid for each in holdings.of(ENTRY) if each.unique_id == unique_id)
        sets = tuple(each.source_object for each in holdings.of(ASSOCIATION) if each.target_object in own)
        links = tuple(each.entry_uuid for each in holdings.of(ASSOCIATION) if each.target_object in own)
        again = another_report(100 + n, unique_id=unique_id)
        with ThreadPoolExecutor(2) as pool:
            removed = pool.submit(remove, holdings, (*own, *sets, *links))
            registered = pool.submit(holdings.register, again)
        removed.result(), registered.result()  # both succeed, whoever is first
        assert unique_id in str(holdings.rows()["uid_ledger"])


def remove(holdings: Any, uuids: tuple[EntryUUID, ...]) -> None:
    ITI_62.handle(uuids, holdings.registry, holdings.exchange)


def accepted(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except Rejected:
        return False
    return True
