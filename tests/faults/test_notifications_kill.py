"""kill -9 between the commit and the sending, and between the sending and its being written down."""

import threading
from pathlib import Path

from affinity.client import hl7
from affinity.client.hl7 import Announced, Route
from hl7v2.er7 import parse, serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD
from mllp import client as mllp
from tests.affinity.fake_consumers import MLLPInbox
from tests.end_to_end.conftest import RunningNode, start_node
from tests.faults.sending import subscribe

RED = HD("IHERED", "1.3.6.1.4.1.21367.13.20.1000", "ISO")


def feed(node: RunningNode, patient: str) -> None:
    announced = Announced(
        identifiers=(CX(patient, RED),), family=f"Sturdy{patient}", given="Ada", birth_date="19700101", sex="F"
    )
    address = mllp.Address(host="127.0.0.1", port=node.ports["mllp"])
    assert parse(mllp.send(address, serialize(hl7.announce(Route(), announced))))["MSA"].text(1) == "AA"


def test_what_was_acknowledged_is_told_after_a_kill(tmp_path: Path, domain: Path) -> None:
    closed = MLLPInbox()
    port = closed.port
    closed.close()
    subscribe(domain, port)
    node = start_node(tmp_path / "data", "--domain", str(domain))
    for number in range(20):
        feed(node, f"K-{number}")
    node.kill()
    opened = MLLPInbox(port=port)
    node = start_node(tmp_path / "data", "--domain", str(domain))
    opened.wait(20)
    assert sorted(opened.ids()) == sorted(f"K-{number}" for number in range(20))
    assert node.terminate() == 0
    opened.close()


def test_what_was_sent_but_not_written_down_is_sent_again_under_the_same_id(
    tmp_path: Path, domain: Path, inbox: MLLPInbox
) -> None:
    answer, killed = inbox.answer, threading.Event()

    def hold(message: Message) -> bytes | None:
        killed.wait(60)
        return answer(message)

    inbox.answer = hold
    subscribe(domain, inbox.port)
    node = start_node(tmp_path / "data", "--domain", str(domain))
    feed(node, "K-1")
    inbox.wait(1)
    node.kill()
    killed.set()
    node = start_node(tmp_path / "data", "--domain", str(domain))
    first, second = inbox.wait(2)
    assert serialize(first) == serialize(second)
    assert node.terminate() == 0
    node = start_node(tmp_path / "data", "--domain", str(domain))
    feed(node, "K-2")
    assert [each["PID"].text(3) for each in inbox.wait(3)] == ["K-1", "K-1", "K-2"]
    node.kill()
