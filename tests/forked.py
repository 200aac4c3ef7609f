"""The program in a process of its own within a moment: forked from one that has imported it and opened nothing yet."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

IMPORTED = ["affinity.cli", "affinity.cli.serving", "affinity.cli.show", "affinity.development", "affinity.production"]
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(IMPORTED)


class Forked:
    """``affinity`` with these words, as a ``subprocess.Popen`` whose standard error is a pipe of text."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        around = {**os.environ, **environment}
        read, write = FORKING.Pipe(duplex=False)
        self._process = FORKING.Process(target=_run, args=(words, around, str(Path.cwd()), write), daemon=True)
        self._process.start()
        write.close()
        self.stderr: IO[str] = os.fdopen(os.dup(read.fileno()))
        read.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("affinity", timeout)
        return self._process.exitcode


def _run(words: Sequence[str], environment: Mapping[str, str], directory: str, errors: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    os.dup2(errors.fileno(), sys.stderr.fileno())
    errors.close()
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process lives
    sys.argv = ["affinity", *words]
    from affinity.cli import main

    main()
