"""By hand, as root: what Patroni, a network and machines may do to a node under load. Every message is accounted for.

``unshare --net python -m tests.faults.machines DIRECTORY WAY FAILURE ...`` boots the machines in a directory; WAY is
``direct`` (a URL that names all hosts) or ``balanced`` (HAProxy). It takes two minutes, and each failure as many.
"""

import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ihe.datatypes import CX
from tests.end_to_end.conftest import RunningNode, start_node
from tests.faults.load import Load
from tests.faults.machines.cluster import Cluster, Machine, running
from tests.faults.readers import Readers
from tests.faults.sending import RED
from tests.faults.test_failover import check

TTL = 30
"""Seconds of Patroni's lease, as it comes."""
BEFORE, AFTER = 40, 100
LOSS = 5
REJOINED = 60
"""Seconds within which a machine should be a standby again; a machine that is starved takes longer."""
UP = "affinity_database_up 0.0"


@dataclass
class Watch:
    """What a node says of itself: how often of /health/ready, how late, and how often that its database is away."""

    node: RunningNode
    ready: Counter[int] = field(default_factory=Counter)
    late: float = 0
    away: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._repeat)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _repeat(self) -> None:
        while not self._over.wait(1):
            begun = time.monotonic()
            status, _ = self._ask("/health/ready")
            self.ready[status] += 1
            self.late = max(self.late, time.monotonic() - begun)
            self.away += UP in self._ask("/metrics")[1]

    def _ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.node.url(path), timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""


def fail(cluster: Cluster, machine: Machine, failure: str) -> None:
    """Do it to the primary."""
    if failure == "lose":
        for each in cluster.machines:
            each.lose(LOSS)
    elif failure == "switch_over":
        cluster.switch_over(machine)
    elif failure == "freeze":
        machine.do("pkill -STOP postgres")
    elif failure != "nothing":
        getattr(machine, failure)()


def mend(cluster: Cluster, machine: Machine, failure: str) -> None:
    """The machine as it was; it finds its place by itself."""
    if failure == "kill":
        machine.boot()
    elif failure == "pause":
        machine.go_on()
    elif failure == "freeze":
        machine.do("pkill -CONT postgres")
    elif failure == "lose":
        for each in cluster.machines:
            each.lose(0)
    else:
        machine.mend()


def run(cluster: Cluster, load: Load, failure: str) -> None:
    """One failure under load, until the machine is back as well."""
    readers, watch = Readers(load), Watch(load.node)
    with load.running(), readers.running(), watch.running():
        load.until(BEFORE)
        load.pause, primary = 0, cluster.primary
        begun = time.monotonic()
        fail(cluster, primary, failure)
        load.until(AFTER)
        print(
            f"  {primary.name}, {cluster.primary.name} after {time.monotonic() - begun:.0f} s: pause {load.pause:.1f} s"
        )
        pause, load.pause = load.pause, 0
        mend(cluster, primary, failure)
        load.until(AFTER)
        if not cluster.settle(REJOINED):
            print(f"  {primary.name} has not come back within {REJOINED} s", flush=True)
        load.until(BEFORE)
    tell(failure, load, readers, watch, pause)


def tell(failure: str, load: Load, readers: Readers, watch: Watch, pause: float) -> None:
    kept = len(load.patients) + len(load.documents)
    print(f"  {failure}: {kept} kept, longest pause {pause:.1f} s, {load.pause:.1f} s when it came back")
    print(f"  told {dict(load.told)}; queries answered {dict(readers.answered)}, told {dict(readers.told)}")
    print(
        f"  ready {dict(watch.ready)}, answered within {watch.late:.1f} s; measured as away {watch.away} times",
        flush=True,
    )


def main(place: str, way: str, *failures: str) -> None:
    directory, numbers = Path(place), count(1)
    directory.mkdir(parents=True, exist_ok=True)
    with running(directory, TTL) as cluster:
        assert cluster.settle(400)
        print(f"primary {cluster.primary.name}", flush=True)
        url = cluster.direct if way == "direct" else cluster.balanced
        for turn, failure in enumerate(failures):
            print(f"{failure} by {way}", flush=True)
            node = start_node(directory / "node", "--domain", "connectathon", "--xua", "off", "--database-url", url)
            load = Load(node, CX(f"FAILOVER-OWNER-{turn}", RED), most=10**6, seconds=240, _numbers=numbers)
            try:
                run(cluster, load, failure)
                assert node.terminate() == 0
            finally:
                with suppress(ProcessLookupError):
                    node.kill()
                (directory / f"{turn}-{failure}.log").write_text("".join(node.log))
            check(load, cluster)


if __name__ == "__main__":
    main(*sys.argv[1:])
