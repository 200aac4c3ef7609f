"""``python -m tests.fuzzing [SECONDS [TARGET ...]]``: share the time among the targets; print reproducers."""

import sys
import tempfile
import time
import traceback
from pathlib import Path

import structlog
from hypothesis import HealthCheck, settings

from tests.fuzzing.mutating import Crash, search
from tests.fuzzing.targets import Actors, Target, targets

BATCH = 500
PROFILE = settings(deadline=None, max_examples=BATCH, database=None, suppress_health_check=list(HealthCheck))


def main(seconds: float, names: list[str]) -> int:
    """Fuzz; 1 if anything crashed."""
    structlog.configure(processors=[], wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as directory:
        actors = Actors(Path(directory))
        chosen = [each for each in targets(actors) if not names or each.name in names]
        crashes = [crash for each in chosen if (crash := _fuzz(each, seconds / len(chosen)))]
        actors.close()
    return 1 if crashes else 0


def _fuzz(target: Target, seconds: float) -> Crash | None:
    ends = time.monotonic() + seconds
    batches = 0

    def more() -> bool:
        nonlocal batches
        batches += 1
        return time.monotonic() < ends

    crash = search(target, more, PROFILE)
    print(f"{target.name}: {'CRASH' if crash else 'no crash'} in about {(batches - 1) * BATCH} messages", flush=True)
    if crash:
        print(f"  {crash.data!r}")
        traceback.print_exception(crash.error)
    return crash


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]) if sys.argv[1:] else 600, sys.argv[2:]))
