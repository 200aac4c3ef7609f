"""The first half of a parent: check, migrate, bind, then give its place to a program that only supervises.

What is needed to check and migrate takes some 100 MB, which the parent would hold for as long as it lives.
"""

import os
import shutil
import sys
from typing import NoReturn

from affinity import logs
from affinity.domain_model import LoadedDomain
from affinity.listening import bind_all
from affinity.node import open_node
from affinity.production import checked
from affinity.seal_files import KEY
from affinity.serving import metrics_files
from affinity.serving.buckets import DIRECTORY
from affinity.serving.handover import Given, Handover, digest
from affinity.settings import Settings
from atna.signing import sealing_key


def supervise(given: Given, settings: Settings) -> NoReturn:
    """Become the parent. Raises what keeps a server from starting, before anything is served."""
    logs.configure(as_json=settings.log.format == "json", level=settings.log.level)
    handover = prepare(given, settings)
    handover.pass_on()
    read, write = os.pipe()
    os.set_inheritable(read, True)
    os.write(write, handover.write())
    os.close(write)
    command = [sys.executable, "-P", "-m", "affinity.serving", str(read)]
    sys.stdout.flush()
    around = metrics_files.begin(settings.data) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    os.execve(sys.executable, command, os.environ | around)


def prepare(given: Given, settings: Settings) -> Handover:
    """Everything that one process does for all before they begin: migrations, keys, clearing up, sockets."""
    loaded, doors = checked(settings)
    lock = _prepare_data(settings, loaded)
    sockets = bind_all(settings.listen, plain=doors.plain, secured=doors.tls is not None)
    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    return Handover(
        given=given,
        workers=settings.workers or 1,
        data=str(settings.data),
        host=settings.listen.host,
        drain_seconds=settings.limits.drain_seconds,
        log_format=settings.log.format,
        log_level=settings.log.level,
        sockets={name: bound.detach() for name, bound in sockets.items()},
        lock=lock,
        heard=heard,
        rung=rung,
        bound=digest(settings),
    )


def _prepare_data(settings: Settings, loaded: LoadedDomain) -> int:
    """Open the node and close it again; returns the descriptor that still holds the lock of its data directory."""
    node = open_node(settings, loaded)
    lock = os.dup(node.lock)
    node.close()
    sealing_key(settings.data / KEY)
    shutil.rmtree(settings.data / DIRECTORY, ignore_errors=True)
    (settings.data / DIRECTORY).mkdir(mode=0o700)
    return lock
