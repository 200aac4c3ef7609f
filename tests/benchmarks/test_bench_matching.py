"""The figures of the matching benchmark: what counts as found, as false, and as a task."""

from benchmarks.matching.datasets import Entry
from benchmarks.matching.feeding import feed, linked_pairs, true_pairs
from benchmarks.matching.measures import at_threshold, best_threshold, of_links
from pix.matching.configuration import default
from pix.matching.subject import subject
from pix.model import Address, Demographics, PersonName

HOME = Address(street="12, rue de la Gare", postal_code="1611", city="Luxembourg")


def entry(person: str, given: str, birth: str = "19760514", home: Address = HOME) -> Entry:
    known = Demographics(
        names=(PersonName(family="Oberweis", given=given),), birth_time=birth, sex="F", addresses=(home,)
    )
    return Entry(person=person, row={}, subject=subject(known))


def test_a_feed_links_asks_and_leaves_apart() -> None:
    entries = [entry("1", "Claire"), entry("1", "CLAIRE"), entry("1", "Claire", home=Address()), entry("2", "Josiane")]
    fed = feed(entries, default())
    assert linked_pairs(fed) == {(0, 1)}
    assert {feed for feed, _ in fed.asked} == {2}
    assert true_pairs(entries) == {(0, 1), (0, 2), (1, 2)}


def test_quality_counts_what_blocking_missed_as_missed() -> None:
    found = of_links("x", {(0, 1), (2, 3)}, {(0, 1), (4, 5)}, compared=1000)
    assert (found.precision, found.recall, found.f1, found.false_per_million) == (0.5, 0.5, 0.5, 1000.0)


def test_the_best_threshold_does_not_split_equal_weights() -> None:
    weights = {(0, 1): 9.0, (2, 3): 5.0, (4, 5): 5.0, (6, 7): 1.0}
    truth = {(0, 1), (2, 3)}
    assert best_threshold(weights, truth) in (5.0, 9.0)
    assert at_threshold("x", weights, truth, 5.0).linked == 3
