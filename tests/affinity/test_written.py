"""Files that verbs write: whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from affinity.cli.written import created, written

HALF_AND_KILLED = """
import os, signal, sys
from pathlib import Path
from affinity.cli.written import written

with written(Path(sys.argv[1])) as text:
    text.write("half of it\\n" * 100_000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_is_there_once_it_is_whole_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    with written(file) as text:
        text.write("é\r\n")
        assert not file.exists()
    assert file.read_bytes() == b"\xc3\xa9\r\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_kill_half_way_leaves_the_file_of_before(tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    file.write_text("that of yesterday")
    killed = subprocess.run([sys.executable, "-c", HALF_AND_KILLED, file], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert file.read_text() == "that of yesterday"


def test_what_goes_wrong_half_way_leaves_the_file_of_before_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    file.write_text("that of yesterday")
    with pytest.raises(OSError, match="No space left") as raised, written(file) as text:
        text.write("half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert raised.value.filename == str(file), "the sentence of an error begins with it"
    assert file.read_text() == "that of yesterday"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    with written(tmp_path / "link") as text:
        text.write("whole")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "whole"


def test_what_is_no_file_is_written_straight() -> None:
    reading, writing = os.pipe()
    with written(Path(f"/proc/self/fd/{writing}")) as text:
        text.write("whole")
    os.close(writing)
    assert os.read(reading, 100) == b"whole"
    os.close(reading)


def test_a_file_that_must_not_be_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "trail").write_text("that of yesterday")
    with pytest.raises(FileExistsError), created(tmp_path / "trail"):
        pass
    assert (tmp_path / "trail").read_text() == "that of yesterday"
    with created(tmp_path / "other") as text:
        text.write("whole")
    assert (tmp_path / "other").read_text() == "whole"
