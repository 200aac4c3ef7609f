"""``python -m affinity.serving.worker DESCRIPTOR NUMBER``: one of the processes that serve; its parent starts it."""

import os
import signal
import socket
import sys
import threading

import structlog

from affinity import logs
from affinity.allowances import Allowances
from affinity.catalogue import TRANSACTIONS
from affinity.lifecycle import run
from affinity.node import join_node
from affinity.processors import chosen
from affinity.production import NotForProduction, checked
from affinity.server import Server
from affinity.serving.bell import Bell
from affinity.serving.buckets import DIRECTORY, BucketsOfNode
from affinity.serving.child import READY
from affinity.serving.handover import Handover, Unlike
from affinity.serving.measured import STARTED, share
from affinity.settings import Settings
from affinity.station import Station

log = structlog.get_logger()

WRONG_USE = 2
"""The exit code of a server that cannot start: it is a matter of settings."""


def main(descriptor: int, number: int) -> int:
    """Serve until told to stop, or until the parent has ended. Returns the exit code."""
    line = socket.socket(fileno=descriptor)
    with line.makefile("rb") as told:
        handover = Handover.read(told.readline())
    handover.keep()
    line.set_inheritable(False)
    try:
        settings = handover.settings()
        logs.configure(as_json=settings.log.format == "json", level=settings.log.level, worker=number)
        return _serve(settings, handover, line, number)
    except Exception as error:  # the process' last edge: its parent learns that it ended, the log says why
        log.error("worker cannot serve", reason=_sentence(error))
        return WRONG_USE


def _serve(settings: Settings, handover: Handover, line: socket.socket, number: int) -> int:
    loaded, doors = checked(settings)
    bell = Bell(heard=handover.heard, rung=handover.rung)
    node = join_node(settings, loaded, handover.lock, bell.ring)
    station = Station(
        open=lambda: {name: socket.socket(fileno=each) for name, each in handover.sockets.items()},
        publish=lambda _ports: None,
        withdraw=lambda: None,
        heed=bell.heed,
        allowances=Allowances(buckets=BucketsOfNode(settings.data / DIRECTORY)),
        share=share,
    )

    async def ready(_server: Server) -> None:
        threading.Thread(target=_end_with_parent, args=(line,), name="affinity-parent", daemon=True).start()
        line.sendall(READY)
        STARTED.inc()

    processor = chosen(settings, number)
    return run(lambda reactor: Server(reactor, settings, node, doors, TRANSACTIONS, station), ready, processor)


def _sentence(error: Exception) -> str:
    from affinity.cli.failures import explain  # what the command line needs is loaded by none that serves

    return str(error) if isinstance(error, NotForProduction | Unlike) else str(explain(error))


def _end_with_parent(line: socket.socket) -> None:
    """Drain when the parent has ended, however that came: nobody would replace a worker that dies."""
    line.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
