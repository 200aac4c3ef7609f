"""Where a node listens, and within which bounds, as its settings say."""

import json
import os
import socket
from pathlib import Path

from affinity.settings import Limits
from mllp.patience import Limits as MLLPLimits
from soap.limits import SOAPLimits
from soap.xml import XMLLimits

BACKLOG = 1024


def bind(name: str, host: str, port: int) -> socket.socket:
    """A listening socket; until it is adopted, connections wait in its backlog. OSError names a port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"{name} cannot listen on {host} port {port}: {reason}") from error
    bound.setblocking(False)
    return bound


def mllp_limits(limits: Limits) -> MLLPLimits:
    """What the settings bound on MLLP."""
    return MLLPLimits(message=limits.hl7_message, connections=limits.connections, idle_seconds=limits.idle_seconds)


def soap_limits(limits: Limits) -> SOAPLimits:
    """What the settings bound on HTTP."""
    return SOAPLimits(
        body=limits.document,
        xml=XMLLimits(size=limits.envelope),
        idle=limits.idle_seconds,
        connections=limits.connections,
    )


def publish(file: Path, ports: dict[str, int]) -> None:
    """Write ``ports.json`` whole or not at all: whoever waits for it may read it at once."""
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(ports) + "\n")
    draft.replace(file)
