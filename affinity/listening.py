"""Where a node listens, and within which bounds, as its settings say."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from affinity.settings import Limits, Listen
from mllp.patience import Limits as MLLPLimits
from soap.limits import SOAPLimits
from soap.xml import XMLLimits

BACKLOG = 1024
RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets that the system keeps of datagrams that we have not read."""
DATAGRAMS = "syslog_udp"
"""The one port without connections."""
Sockets = Mapping[str, socket.socket]
"""What a node listens on, by the name of the port."""


def bind_all(listen: Listen, *, plain: bool, secured: bool) -> Sockets:
    """Every port that is configured and may be opened, listening. OSError names a port that is taken: then none is."""
    with ExitStack() as undone:
        bound = {}
        for name, port in _chosen(listen, plain=plain, secured=secured):
            bound[name] = bind_datagrams(listen.host, port) if name == DATAGRAMS else bind(name, listen.host, port)
            undone.callback(bound[name].close)
        undone.pop_all()
    return bound


def _chosen(listen: Listen, *, plain: bool, secured: bool) -> Iterator[tuple[str, int]]:
    without_tls = {"http": listen.http_port, "mllp": listen.mllp_port} if plain else {}
    with_tls = {"https": listen.https_port, "mllps": listen.mllps_port, "syslogs": listen.syslogs_port}
    chosen = {**without_tls, **(with_tls if secured else {}), DATAGRAMS: listen.syslog_udp_port}
    return ((name, port) for name, port in chosen.items() if port is not None)


def bind_datagrams(host: str, port: int) -> socket.socket:
    """The port of syslog over UDP. OSError says that it is taken."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _taken(DATAGRAMS, host, port, error) from error
    bound.setblocking(False)
    return bound


def bind(name: str, host: str, port: int) -> socket.socket:
    """A listening socket; until it is adopted, connections wait in its backlog. OSError names a port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise _taken(name, host, port, error) from error
    bound.setblocking(False)
    return bound


def _taken(name: str, host: str, port: int, error: OSError) -> OSError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return OSError(error.errno, f"{name} cannot listen on {host} port {port}: {reason}")


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
