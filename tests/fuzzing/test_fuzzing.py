"""A short run of every fuzzer, and each crash that a long one (``make fuzz``) has found."""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzzing.mutating import attempt, search
from tests.fuzzing.targets import Actors, Target, targets

NAMES = (
    *("er7", "mllp", "hl7v2", "multipart", "envelope", "ebrim", "queries", "v3", "saml"),
    *("syslog", "syslog-tls", "audit", "dicom", "bppc", "appc", "fhir-consent"),
    *("stewardship", "accesses", "audit-fhir", "load-csv", "load-fhir"),
)
SHORT = settings(
    deadline=None, derandomize=True, max_examples=30, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    actors = Actors(tmp_path_factory.mktemp("fuzzing"))
    yield {each.name: each for each in targets(actors)}
    actors.close()


def test_every_target_is_tried(known: dict[str, Target]) -> None:
    assert tuple(known) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_no_mutant_of_a_good_message_is_unforeseen(known: dict[str, Target], name: str) -> None:
    for seed in known[name].seeds:
        attempt(known[name], seed)
    crash = search(known[name], chain((True,), repeat(False)).__next__, SHORT)
    assert crash is None, crash
