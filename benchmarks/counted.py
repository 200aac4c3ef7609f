"""``affinity`` that counts the Python functions it calls: SIGUSR2 begins a count, the next one writes it down.

The file is named by the environment's ``COUNTED`` and holds an object of JSON: calls by module.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

from affinity.cli import main

FILE = "COUNTED"


class Counting:
    """Calls of every thread since the count began. A thread may lose one to another: it is a count, not a proof."""

    def __init__(self, written: Path) -> None:
        self._written = written
        self._calls: Counter[CodeType] | None = None

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Count a call, as ``sys.setprofile`` tells of it."""
        if event == "call" and self._calls is not None:
            self._calls[frame.f_code] += 1

    def turn(self, *_signal: object) -> None:
        """Begin, or end and write."""
        calls, self._calls = self._calls, Counter() if self._calls is None else None
        if calls is not None:
            self._write(Counter(calls))

    def _write(self, calls: Counter[CodeType]) -> None:
        modules: Counter[str] = Counter()
        for code, count in calls.items():
            modules[code.co_filename.rpartition("site-packages/")[2]] += count
        made = self._written.with_suffix(".made")
        made.write_text(json.dumps(modules))
        made.replace(self._written)


def run() -> None:
    """Run the command line, counted."""
    counting = Counting(Path(os.environ[FILE]))
    signal.signal(signal.SIGUSR2, counting.turn)
    threading.setprofile(counting)
    sys.setprofile(counting)
    main()


if __name__ == "__main__":
    run()
