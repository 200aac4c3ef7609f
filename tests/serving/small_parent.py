"""``python -m tests.serving.small_parent DATA``: a real parent of two workers that serve nothing.

A worker ends at once, with exit code 2, while there is a file ``broken`` in the data directory.
"""

import socket
import subprocess
import sys

from affinity import logs
from affinity.serving.child import Child
from affinity.serving.handover import Given, Handover
from affinity.serving.supervisor import Supervisor

WORKER = """
import os, signal, socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
if os.path.exists(sys.argv[2] + "/broken"):
    sys.exit(2)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
line.sendall(b"ready\\n")
line.recv(1)
"""


def main(data: str) -> int:
    def start(number: int) -> Child:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", WORKER, str(theirs.fileno()), data]
            process = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
        ours.setblocking(False)
        return Child(number, process, ours)

    handover = Handover(
        given=Given(config=None, overrides={}),
        workers=2,
        data=data,
        host="127.0.0.1",
        drain_seconds=5,
        log_format="json",
        log_level="info",
        sockets={"mllp": socket.create_server(("127.0.0.1", 0)).detach()},
        lock=0,
        heard=0,
        rung=0,
        bound="",
    )
    logs.configure(as_json=True, level="info")
    return Supervisor(handover, start).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
