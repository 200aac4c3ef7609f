"""``python -m affinity.serving DESCRIPTOR``: the parent of the workers, once everything is bound."""

import os
import sys

from affinity import logs
from affinity.serving.child import start
from affinity.serving.handover import Handover
from affinity.serving.supervisor import Supervisor


def main(descriptor: int) -> int:
    """Supervise until told to stop. Returns the exit code."""
    with os.fdopen(descriptor, "rb") as told:
        handover = Handover.read(told.readline())
    handover.keep()
    logs.configure(as_json=handover.log_format == "json", level=handover.log_level)
    return Supervisor(handover, lambda number: start(number, handover)).run()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
