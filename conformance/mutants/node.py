"""A node that can be made to do one thing wrong, from outside: for nobody but the hunt, and on loopback alone.

``python -m conformance.mutants.node --data DIR ...`` takes the options of ``affinity up``; beside its own ports it
listens on one whose number is in ``DIR/mutant.port``. A line that comes there is the name of a mutant, which is
switched on and replaces the one before; an empty line switches it off; each line is answered with itself.
"""

import socketserver
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from affinity.cli import app
from conformance.mutants.everyone import mutants

PORT_FILE = "mutant.port"


class Switchboard(socketserver.StreamRequestHandler):
    """Switches as it is told."""

    def handle(self) -> None:
        """One line, one mutant."""
        by_name = {each.name: each for each in mutants()}
        with ExitStack() as on:
            for line in self.rfile:
                on.close()
                name = line.decode().strip()
                if name:
                    on.enter_context(by_name[name].switched())
                self.wfile.write(line)


def main(options: list[str]) -> None:
    """Serve until the process is ended."""
    mutants()  # imported before the node is asked anything
    switchboard = socketserver.TCPServer(("127.0.0.1", 0), Switchboard)
    data = Path(options[options.index("--data") + 1])
    data.mkdir(parents=True, exist_ok=True)
    (data / PORT_FILE).write_text(f"{switchboard.server_address[1]}\n")
    threading.Thread(target=switchboard.serve_forever, daemon=True).start()
    app(["up", "--no-demo", *options])


if __name__ == "__main__":
    main(sys.argv[1:])
