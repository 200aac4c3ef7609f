"""``ports.json`` of a data directory: on which ports a node listens, while it does."""

import json
from pathlib import Path

from ihe.durable import write_whole

PORTS = "ports.json"


def publish(file: Path, ports: dict[str, int]) -> None:
    """Write the file whole or not at all: whoever waits for it may read it at once."""
    write_whole(file, f"{json.dumps(ports)}\n".encode(), mode=0o644)
