"""``ports.json`` of a data directory: on which ports a node listens, while it does."""

import json
from pathlib import Path

PORTS = "ports.json"


def publish(file: Path, ports: dict[str, int]) -> None:
    """Write the file whole or not at all: whoever waits for it may read it at once."""
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(ports) + "\n")
    draft.replace(file)
