"""A cap on memory while more comes than fits: it is taken or refused, nothing dies, and what comes later is served."""

import resource
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hl7v2.er7 import parse
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from mllp import client as mllp
from soap.client import FaultReceived, NoAnswer
from tests.end_to_end.conftest import RunningNode, Start
from tests.faults.sending import RED, REPOSITORY_PATH, address, admission, call, retrieve, submission
from xds.iti41 import ITI_41

OWNER = CX("MEMORY-OWNER", RED)
ROOM = 64 * 2**20
"""Bytes that the node may map beyond what it has at rest: each thread alone maps 8 MB."""
LARGE, MANY = 12 * 2**20, 8


def admit(node: RunningNode, patient: str, padding: int = 0) -> str:
    """The answer's MSA-1, or why there is none."""
    message = admission(patient) + b"NTE|1||" + b"x" * padding + b"\r" if padding else admission(patient)
    try:
        return parse(mllp.send(address(node), message))["MSA"].text(1)
    except mllp.MLLPError:
        return "no answer"


def provide(node: RunningNode, unique_id: str, size: int, comment: int = 0) -> str:
    """The end of the answer's status, or why there is none; ``comment`` makes the metadata as long."""
    line = unique_id.encode() + b"\n"
    part = OutgoingPart(
        content_id="d@x",
        media_type="text/plain",
        size=len(line) * (size // len(line)),
        chunks=lambda: (line * each for each in pieces(size // len(line))),
    )
    body = submission(OWNER, UniqueId(unique_id), "d@x").replace(b"Report", b"Report" + b"x" * comment)
    try:
        answer = call(node, REPOSITORY_PATH, ITI_41.bindings[0], body, part).body
    except (OSError, NoAnswer):
        return "no answer"
    except FaultReceived as fault:
        return str(fault)
    return str(answer.get("status")).rpartition(":")[2]


def pieces(lines: int) -> list[int]:
    return [1000] * (lines // 1000) + [lines % 1000]


def test_more_than_fits_is_refused_and_nothing_dies(start: Start, tmp_path: Path) -> None:
    node = start("--domain", "connectathon", "--xua", "off")
    assert admit(node, OWNER.id) == "AA"
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    most = int(status.partition("VmSize:")[2].split()[0]) * 1024 + ROOM
    resource.prlimit(node.process.pid, resource.RLIMIT_AS, (most, most))
    large, described = ([new_oid() for _ in range(MANY)] for _ in range(2))
    with ThreadPoolExecutor(3 * MANY) as pool:
        fed = [pool.submit(admit, node, f"MEMORY-{number}", LARGE) for number in range(MANY)]
        provided = {each: pool.submit(provide, node, each, LARGE) for each in large}
        provided |= {each: pool.submit(provide, node, each, 1000, LARGE) for each in described}
    told = Counter(each.result() for each in (*fed, *provided.values()))
    assert node.process.poll() is None
    later = new_oid()
    assert admit(node, "MEMORY-AFTER") == "AA", told
    assert provide(node, later, 1000) == "Success", told
    kept = {each for each in large if provided[each].result() == "Success"} | {later}
    received = retrieve(node, kept, tmp_path / "received")
    assert {each: set(content.split(b"\n")) for each, content in received.items()} == {
        each: {each.encode(), b""} for each in kept
    }
    assert node.terminate() == 0
    assert list((node.data / "documents" / "spool").iterdir()) == []
    assert [line for line in node.log if '"incident"' in line and "MemoryError" not in line] == []
