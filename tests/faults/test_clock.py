"""A wall clock that jumps by hours and days, there and back: receipts hold, and so do the seals."""

import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from affinity import authority
from affinity.authority import Authority
from affinity.database import Database
from affinity.development import STS_ISSUER
from affinity.seal_files import KEY
from atna.logs import DatabaseLog
from atna.signing import sealing_key
from atna.verifying import verify
from hl7v2.er7 import parse
from hl7v2.message import Message
from mllp import client as mllp
from mllp.framing import frame
from pix.tables import event
from soap.client import FaultReceived
from tests.end_to_end.conftest import RunningNode, executed, start_node
from tests.end_to_end.test_trust import answered, query, registry
from tests.faults.compiling import compiled
from tests.faults.oracle import rows
from tests.faults.sending import address, admission
from tls.files import TLS
from xua.envelope import security_header
from xua.people import DemoRole
from xua.sts import open_sts

AUDIENCE = "https://records.example.lu/xds"
HOUR, DAY = 3600, 86400
SET_BACK = 100
"""Messages that are sent meanwhile."""
BEYOND = 400 * DAY
"""The development certificates have ended by then, their authority has not."""
JUMPS = (0, 2 * HOUR, -DAY, 5 * DAY, -HOUR, 0)
QUERY = "MSH|^~\\&|C|C|A|A|20260101||QBP^Q22^QBP_Q21|{}|P|2.5\rQPD|IHE PDQ Query|T|@PID.5.1^Sturdy*\rRCP|I|1^RD\r{}"


@dataclass
class Jumping:
    """A node whose wall clock is as many seconds away from ours as one says."""

    node: RunningNode
    clock: Path

    def jump(self, seconds: int) -> None:
        self.clock.write_text(str(seconds))

    def await_log(self, event: str, **fields: str) -> None:
        """Return once the node has logged this."""
        deadline = time.monotonic() + 20
        wanted = {"event": event, **fields}.items()
        while not any(wanted <= json.loads(line).items() for line in self.node.log if line.startswith("{")):
            assert time.monotonic() < deadline, (event, fields, self.node.log[-5:])
            time.sleep(0.02)

    def reload(self) -> None:
        """Let it read its certificates again, and look at their ends."""
        self.node.log.clear()
        self.node.process.send_signal(signal.SIGHUP)
        self.await_log("certificates reloaded")


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jumping]:
    directory = tmp_path_factory.mktemp("jumping")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(compiled("clock", directory)))
        patch.setenv("FAULTS_CLOCK", str(directory / "clock"))
        options = ("--domain", "connectathon", "--xua", "optional", "--audience", AUDIENCE)
        node = start_node(directory / "data", *options, begin=executed)
    yield Jumping(node, directory / "clock")
    node.kill()


def sent(node: RunningNode, message: bytes) -> Message:
    return parse(mllp.send(address(node), message))


def test_jumps_of_the_clock_lose_nothing_and_repeat_nothing(jumping: Jumping) -> None:
    node, first = jumping.node, admission("CLOCK-FIRST")
    receipt = mllp.send(address(node), first)
    assert sent(node, admission("CLOCK-SECOND"))["MSA"].text(1) == "AA"
    page = sent(node, QUERY.format("q", "").encode())
    told: dict[int, int] = {}
    for number, seconds in enumerate(JUMPS):
        jumping.jump(seconds)
        answer = sent(node, admission(f"CLOCK-{number}"))
        assert answer["MSA"].text(1) == "AA"
        told[seconds] = int(answer.header.text(7)[:8])
        assert mllp.send(address(node), first) == receipt  # of that MSH-10: stored, not made anew
    assert told[5 * DAY] > told[0] > told[-DAY], "the clock did not jump at all"
    later = sent(node, QUERY.format("r", f"DSC|{page['DSC'].text(1)}\r").encode())
    assert later["MSA"].text(1) in ("AA", "AE")  # the page, or that it is no longer known


def test_answers_leave_while_the_clock_is_set_back_again_and_again(jumping: Jumping) -> None:
    """What a thread has done is handed to the reactor as something that is due now, whatever the clock says then."""
    over = threading.Event()

    def set_back() -> None:
        for minutes in count():
            jumping.jump(-60 * minutes)
            if over.wait(0.002):
                return

    with ThreadPoolExecutor(1) as pool:
        setting = pool.submit(set_back)
        try:
            told = [sent(jumping.node, admission(f"BACK-{number}"))["MSA"].text(1) for number in range(SET_BACK)]
        finally:
            over.set()
    setting.result()
    assert told == ["AA"] * SET_BACK


def test_a_token_holds_by_the_clock_of_the_moment_also_where_it_was_verified_before(jumping: Jumping) -> None:
    """Its verification is remembered, its times are looked at each time (ITI TF-2: 3.40.4.1.3)."""
    pki = jumping.node.data / "pki"
    sts = open_sts(STS_ISSUER, (pki / "sts.key.pem").read_bytes(), (pki / "sts.crt.pem").read_bytes())
    token = security_header(sts.issue(DemoRole.NURSE, datetime.now(UTC), AUDIENCE))
    held = []
    for seconds in (0, 2 * DAY, 0, -2 * DAY, 0):
        jumping.jump(seconds)
        try:
            held.append(answered(query(registry(jumping.node), token)))
        except FaultReceived as fault:
            assert "FailedAuthentication" in str(fault), fault
            held.append(False)
    assert held == [True, False, True, False, True]


def test_certificates_that_end_are_told_refused_and_renewed_without_a_restart(jumping: Jumping) -> None:
    """Who is connected goes on; who comes with an ended certificate is refused and reads why."""
    node, pki = jumping.node, jumping.node.data / "pki"
    jumping.jump(0)
    with mllp.Connection(secured(node)) as kept:
        assert parse(kept.exchange(admission("TLS-1")))["MSA"].text(1) == "AA"
        before = shown(node)
        jumping.jump(BEYOND)
        assert parse(kept.exchange(admission("TLS-2")))["MSA"].text(1) == "AA"
        jumping.reload()
        jumping.await_log("certificate has ended", file=str(pki / "server.crt.pem"))
        with pytest.raises(mllp.MLLPError):
            mllp.send(secured(node), admission("TLS-3"))
        jumping.await_log("tls handshake failed")
        assert any("it has expired" in line for line in node.log)
        later = Authority(pki, datetime.now(UTC) + timedelta(seconds=BEYOND))
        for stem, wanted in (("server", authority.server()), ("client", authority.client("renewed"))):
            later.renew(stem, wanted)
        jumping.reload()
        assert shown(node) != before
        assert parse(kept.exchange(admission("TLS-4")))["MSA"].text(1) == "AA"
    assert sent(node, admission("TLS-5"))["MSA"].text(1) == "AA"


def test_all_of_it_was_recorded_once_and_nothing_was_unforeseen(jumping: Jumping) -> None:
    """The last test, for it ends the node."""
    jumping.jump(0)
    assert jumping.node.terminate() == 0
    assert [line for line in jumping.node.log if '"incident"' in line] == []
    database = Database(f"sqlite:///{jumping.node.data / 'affinity.db'}")
    try:
        report = database.read(lambda each: verify(DatabaseLog(each), sealing_key(jumping.node.data / KEY).verifier))
        announced = [each for kind, each in rows(database, event.c.type, event.c.record) if kind == "announced"]
    finally:
        database.close()
    assert report.findings == []
    assert len(announced) == len(set(announced)) == 2 + len(JUMPS) + 5 + SET_BACK


def secured(node: RunningNode) -> mllp.Address:
    """Its MLLP port with TLS, and how we show ourselves."""
    pki = node.data / "pki"
    shown = TLS(certificate=pki / "client.crt.pem", key=pki / "client.key.pem", authorities=pki / "ca.crt.pem")
    return mllp.Address(host="127.0.0.1", port=node.ports["mllps"], tls=shown, server_name="localhost")


def shown(node: RunningNode) -> bytes | None:
    """The certificate of the server, which is not looked at: our clock is not the node's."""
    context = ssl.create_default_context(cafile=None)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    pki = node.data / "pki"
    context.load_cert_chain(pki / "client.crt.pem", pki / "client.key.pem")
    with (
        socket.create_connection(("127.0.0.1", node.ports["mllps"]), 20) as plain,
        context.wrap_socket(plain) as wrapped,
    ):
        wrapped.sendall(frame(admission("TLS-SHOWN")))
        assert wrapped.recv(1000)  # an answer: we were let in
        return wrapped.getpeercert(binary_form=True)
