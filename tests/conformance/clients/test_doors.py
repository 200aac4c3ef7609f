"""What comes through the doors is kept as it came: TLS facts, chunked bodies, several requests on one connection."""

import json
import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection
from zipfile import ZipFile

from conformance.clients.evidence import write_evidence
from conformance.clients.outcomes import run_of
from conformance.simulators.doors import reset
from conformance.simulators.faults import spelled
from mllp.client import Address, Connection
from tests.conformance.clients.messengers import Asker
from tests.conformance.clients.play import until
from tests.conformance.clients.web import HIS

HEADERS = {"Content-Type": "text/plain"}


def test_an_exchange_knows_who_was_on_the_other_side_of_tls(listen) -> None:
    session = listen("document-consumer")
    his = HIS(session)
    his.call(his.query(), "https")
    his.call(his.query(), "http")
    secured, plain = (each.seen.exchange.tls for each in session.course.judged)
    assert secured is not None
    assert secured.version == "TLSv1.3"
    assert secured.subject == "CN=Client under test,O=Affinity development"
    assert plain is None


def test_mllp_over_tls_is_kept_with_its_facts(listen) -> None:
    session = listen("pix-consumer")
    address = Address(host="127.0.0.1", port=session.ports["mllps"], tls=session.certificates.client)
    with Connection(address) as line:
        for _ in range(2):
            line.exchange(Asker(session).question("query"))
    tls = [each.seen.exchange.tls for each in session.course.judged]
    assert len(tls) == 2
    assert all(each is not None and each.subject.startswith("CN=Client under test") for each in tls)


def test_a_client_without_a_certificate_is_not_let_in_and_that_is_noted(listen) -> None:
    session = listen("document-consumer")
    bare = ssl.create_default_context(cafile=str(session.certificates.client.authorities))
    bare.maximum_version = ssl.TLSVersion.TLSv1_2
    line = HTTPSConnection("127.0.0.1", session.ports["https"], context=bare, timeout=20)
    try:
        line.connect()
    except OSError:
        pass
    finally:
        line.close()
    until(session, lambda: bool(session.desk.handshakes))
    assert session.desk.handshakes[0].door == "https"
    assert len(session.desk.transcript) == 0


def test_a_chunked_body_is_put_together(listen) -> None:
    session = listen("document-consumer")
    line = HTTPConnection("127.0.0.1", session.ports["http"], timeout=20)
    line.request("POST", "/xds/registry", iter((b"ab", b"cde")), HEADERS, encode_chunked=True)
    assert line.getresponse().status == 415
    kept = session.course.judged[0].seen.exchange.request
    assert kept.content == b"abcde"
    assert kept.header("Transfer-Encoding") == "chunked"
    line.close()


def test_several_requests_on_one_connection_are_several_exchanges(listen) -> None:
    session = listen("document-consumer")
    line = HTTPConnection("127.0.0.1", session.ports["http"], timeout=20)
    for _ in range(3):
        line.request("GET", "/xds/registry?wsdl")
        assert line.getresponse().read().startswith(b"<")
    line.close()
    assert [each.number for each in session.desk.transcript] == [1, 2, 3]
    assert len({each.initiator for each in session.desk.transcript}) == 1


def test_half_a_frame_is_noted(listen) -> None:
    session = listen("pix-consumer")
    with socket.create_connection(("127.0.0.1", session.ports["mllp"])) as line:
        line.sendall(b"\x0bMSH|^~\\&|HALF")
    until(session, lambda: len(session.course.judged) == 1)
    assert "broke off" in session.course.judged[0].seen.exchange.failure
    assert session.course.judged[0].seen.exchange.request.content == b"\x0bMSH|^~\\&|HALF"


def test_the_evidence_says_that_an_answer_was_not_taken(listen, tmp_path) -> None:
    session = listen("document-consumer", spelled("ITI-18 2 trickle 200"))
    his = HIS(session)
    his.call(his.query())
    asked = session.course.judged[0].seen.exchange.request.as_bytes()
    with socket.create_connection(("127.0.0.1", session.ports["http"])) as line:
        line.sendall(asked)
        line.recv(10)
        reset(line)
    until(session, lambda: 2 in session.desk.untaken)
    run = run_of(session.course, session.desk.transcript, "his", session.course.began, 1.0)
    write_evidence(tmp_path / "run.zip", session, run)
    first, second = json.loads(ZipFile(tmp_path / "run.zip").read("seen.json"))["exchanges"]
    assert first["failure"] is None
    assert first["planned_fault"] is None
    assert "the client was gone" in second["failure"]
    assert second["planned_fault"] == "ITI-18 2 trickle 200"
