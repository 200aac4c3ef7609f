"""A comparison says that there is a difference only where there is one."""

from random import Random

import pytest

from benchmarks.compare import Comparison


def noisy(random: Random, rounds: int, factor: float = 1.0) -> tuple[float, ...]:
    """Costs of 1 ms, give or take what a busy machine does to them."""
    return tuple(1000 * factor * random.uniform(0.95, 1.05) for _ in range(rounds))


def test_equal_samples_are_no_difference() -> None:
    assert Comparison("ITI-18", (1.0, 2.0, 3.0), (1.0, 2.0, 3.0)).verdict == "no difference"


def test_noise_alone_is_hardly_ever_a_difference() -> None:
    random = Random(1)
    verdicts = [Comparison("ITI-18", noisy(random, 8), noisy(random, 8)).verdict for _ in range(200)]
    assert verdicts.count("no difference") > 170  # 186 are expected


@pytest.mark.parametrize(("factor", "verdict"), [(1.3, "slower"), (0.7, "faster")])
def test_a_third_more_or_less_is_a_difference(factor: float, verdict: str) -> None:
    random = Random(2)
    assert Comparison("ITI-18", noisy(random, 8), noisy(random, 8, factor)).verdict == verdict


def test_one_round_that_went_wrong_hides_no_difference() -> None:
    base, head = (1.0,) * 8, (1.5,) * 7 + (0.2,)
    assert Comparison("ITI-18", base, head).verdict == "slower"
    assert Comparison("ITI-18", base[:7], head[1:]).verdict == "no difference"
