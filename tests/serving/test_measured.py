"""``/metrics`` of several processes: counters of all, the dead included; what is measured of those that live."""

import os
import subprocess
import sys
from pathlib import Path

from affinity.serving import metrics_files
from tests.end_to_end.conftest import ROOT

PROGRAM = """
import os, sys
from affinity.measures import single
from affinity.metrics import HANDSHAKES_FAILED, NOTIFICATIONS, exposition
from affinity.serving.measured import note
HANDSHAKES_FAILED.labels("theirs").inc(int(sys.argv[1]))
NOTIFICATIONS.labels("card", "pending").set(int(sys.argv[1]))
note([single("affinity_workers", "Processes", 1), single("process_cpu_seconds_total", "CPU", 2)], {})
print(os.getpid(), exposition().decode(), sep="\\n")
"""


def measured_by(variables: dict[str, str], count: int) -> tuple[int, list[str]]:
    """A process that counts so many failed handshakes: its id, and what it tells of all."""
    command = [sys.executable, "-c", PROGRAM, str(count)]
    around = {**os.environ, **variables}
    said = subprocess.run(command, cwd=ROOT, env=around, capture_output=True, text=True, check=True).stdout
    pid, *told = said.splitlines()
    return int(pid), told


def test_counters_outlive_a_worker_and_gauges_do_not(tmp_path: Path) -> None:
    variables = metrics_files.begin(tmp_path)
    first, _ = measured_by(variables, 3)
    _, told = measured_by(variables, 4)
    assert {"affinity_workers 2.0", 'affinity_tls_handshakes_failed_total{side="theirs"} 7.0'} <= set(told)
    assert 'affinity_notifications{state="pending",subscriber="card"} 4.0' in told
    metrics_files.forget(tmp_path, first)
    second, told = measured_by(variables, 0)
    assert second != first
    assert {"affinity_workers 2.0", 'affinity_tls_handshakes_failed_total{side="theirs"} 7.0'} <= set(told)
    assert "process_cpu_seconds_total 6.0" in told


def test_a_node_counts_from_zero_when_it_starts(tmp_path: Path) -> None:
    measured_by(metrics_files.begin(tmp_path), 3)
    _, told = measured_by(metrics_files.begin(tmp_path), 1)
    assert 'affinity_tls_handshakes_failed_total{side="theirs"} 1.0' in told
