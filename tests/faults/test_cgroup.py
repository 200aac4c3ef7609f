"""A cap on memory by cgroup, in which the page cache counts: a larger document passes, nothing is killed."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from affinity.client import xds
from affinity.domain import load
from ihe.datatypes import CX
from ihe.exchange import OutgoingPart
from ihe.identifiers import UniqueId, new_oid
from tests.end_to_end.conftest import RunningNode, Start, executed
from tests.faults.cgroup import Cgroup, capped
from tests.faults.sending import RED, REPOSITORY_PATH, call, submission
from tests.faults.test_memory import admit
from xds.iti41 import ITI_41
from xds.iti43 import ITI_43

CAP, LARGE = 200 * 2**20, 320 * 2**20
OWNER = CX("CGROUP-OWNER", RED)
PIECE = 2**20


@pytest.fixture
def cgroup() -> Iterator[Cgroup]:
    with capped(f"affinity-{os.getpid()}", CAP) as made:
        yield made


def test_documents_larger_than_the_cap_pass_and_nothing_is_killed(cgroup: Cgroup, start: Start, tmp_path: Path) -> None:
    node = start("--domain", "connectathon", begin=partial(executed, under=cgroup.under))
    assert admit(node, OWNER.id) == "AA"
    unique_id = UniqueId(new_oid())
    sent = provide(node, unique_id)
    assert retrieve(node, unique_id, tmp_path / "received") == sent
    assert node.terminate() == 0
    assert cgroup.killed == 0
    assert cgroup.highest > CAP * 0.9, "the page cache did not count"


def provide(node: RunningNode, unique_id: UniqueId) -> str:
    """Submit a document of which no two pieces are the same; its SHA-256."""
    part = OutgoingPart(content_id="d@x", media_type="text/plain", size=LARGE, chunks=lambda: pieces(unique_id))
    answer = call(node, REPOSITORY_PATH, ITI_41.bindings[0], submission(OWNER, unique_id, "d@x"), part).body
    assert str(answer.get("status")).endswith(":Success")
    return digest_of(pieces(unique_id))


def pieces(unique_id: UniqueId) -> Iterator[bytes]:
    for number in range(LARGE // PIECE):
        yield sha256(f"{unique_id} {number}".encode()).digest() * (PIECE // 32)


def retrieve(node: RunningNode, unique_id: UniqueId, received: Path) -> str:
    """Fetch a document; its SHA-256."""
    body = xds.retrieve([(load("connectathon").affinity_domain.repository_unique_id, unique_id)])
    answer = call(node, REPOSITORY_PATH, ITI_43.bindings[0], body, received=received)
    (part,) = answer.parts.values()
    with Path(part.spooled).open("rb") as file:
        return digest_of(iter(lambda: file.read(PIECE), b""))


def digest_of(chunks: Iterable[bytes]) -> str:
    made = sha256()
    for each in chunks:
        made.update(each)
    return made.hexdigest()
