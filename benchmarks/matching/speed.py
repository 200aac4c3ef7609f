"""``python -m benchmarks.matching.speed``: microseconds to normalize a record, make its keys, and compare it."""

import time
from collections import Counter
from collections.abc import Callable

from affinity.population import records
from benchmarks.matching.datasets import Entry
from benchmarks.matching.feeding import candidate_pairs
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import default
from pix.matching.scoring import compare
from pix.matching.subject import subject

PERSONS, SEED, ROUNDS = 3000, 5, 7


def main() -> None:
    """Print the fastest of a few rounds in one thread, CPU time; the first round of all is cold."""
    found = list(records(PERSONS, SEED))
    started = time.process_time()
    entries = [Entry(person="", row={}, subject=subject(each.demographics, each.nationals)) for each in found]
    print(f"subject, cold: {1e6 * (time.process_time() - started) / len(found):.1f} us")
    print(f"subject: {_fastest(lambda: [subject(each.demographics) for each in found], len(found)):.1f} us")
    print(f"keys: {_fastest(lambda: [lookup_keys(each.subject) for each in entries], len(entries)):.1f} us")
    found_pairs = [(other, at) for at, before in candidate_pairs(entries) for other in before]
    pairs = [(entries[other].subject, entries[at].subject) for other, at in found_pairs]
    outcomes = Counter(compare(one, other, default()).outcome.value for one, other in pairs)
    took = _fastest(lambda: [compare(one, other, default()) for one, other in pairs], len(pairs))
    print(f"compare: {took:.1f} us, mean of {len(pairs)} candidate pairs: {dict(outcomes)}")


def _fastest(work: Callable[[], object], number: int) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return 1e6 * min(taken) / number


if __name__ == "__main__":
    main()
