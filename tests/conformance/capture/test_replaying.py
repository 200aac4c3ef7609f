"""A capture played to a system that the test makes up: what is fresh, what is carried over, what the table says."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml.etree import _Element
from typer.testing import CliRunner

from affinity.cli import app
from conformance.capture.carried import Carried, moved
from conformance.capture.cutting import cut
from conformance.capture.folder import Capture, written
from conformance.capture.pseudonyms import Pseudonyms
from conformance.capture.recorded import Message, Recorded, in_memory
from conformance.capture.spool import Spool
from conformance.exchanges import Wire
from hl7v2.er7 import parse
from ihe.exchange import Principal
from mllp.framing import Framer, Received, frame
from pix import matricule
from soap.xml import parse as parse_xml
from soap.xml import serialize
from tests.conformance.capture.conftest import Serve
from tests.xua.stage import Stage
from xua.envelope import security_header
from xua.keys import make_stranger
from xua.people import PEOPLE, DemoRole
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier

LONG_AGO = datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)
NATIONAL = matricule.complete("19870412017")
FEED = (
    f"MSH|^~\\&|LIS|LAB|X|Y|20200506070809||ADT^A28^ADT_A05|CTRL-0001|P|2.5\rEVN||20200506070809\r"
    f"PID|||ZK-04711^^^&2.999.1&ISO~{NATIONAL}^^^&2.999.2&ISO||Wolter^L||19870412|F\r"
)
ASKED = (
    "MSH|^~\\&|LIS|LAB|X|Y|20200506070810||QBP^Q22^QBP_Q21|CTRL-0002|P|2.5\r"
    "QPD|IHE PDQ Query|QUERY-0001|@PID.3.1^ZK-04711\rRCP|I|1^RD\r"
)
MORE = ASKED.replace("CTRL-0002", "CTRL-0003") + "DSC|POINTER-1|I\r"
FOUND = (
    "MSH|^~\\&|X|Y|LIS|LAB|20200506070810||RSP^K22^RSP_K21|R1|P|2.5\rMSA|AA|CTRL-0002\rQAK|QUERY-0001|OK\r"
    "QPD|IHE PDQ Query|QUERY-0001|@PID.3.1^ZK-04711\rPID|||ZK-04711^^^&2.999.1&ISO\rDSC|POINTER-1|I\r"
)
ACK = "MSH|^~\\&|X|Y|LIS|LAB|20200506070809||ACK^A28^ACK|R0|P|2.5\rMSA|AA|CTRL-0001\r"


def er7(text: str) -> Message:
    return Message(head=b"", text=in_memory(text.encode()))


def recorded(number: int, transaction: str, request: Message, answer: Message | None, failure: str = "") -> Recorded:
    return Recorded(
        number=number,
        wire=Wire.HTTP if request.head else Wire.MLLP,
        transaction=transaction,
        initiator="client",
        responder="server",
        endpoint=1,
        connection=1,
        began=LONG_AGO + timedelta(seconds=number),
        seconds=0,
        request=request,
        answer=answer,
        failure=failure,
    )


def kept(directory: Path, *exchanges: Recorded) -> Path:
    with written(directory / "capture", Capture(exchanges=exchanges, redacted=True)):
        pass
    return directory / "capture"


def replayed(capture: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, ["conform", "replay", str(capture), "--json", *options])
    return result.exit_code, json.loads(result.stdout)


class Answering:
    """An MLLP server that keeps what it is sent."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.sent: list[str] = []
        self._answer = answer

    def __call__(self, connection: socket.socket) -> None:
        framer = Framer()
        while data := connection.recv(65536):
            for event in framer.feed(data):
                assert isinstance(event, Received)
                self.sent.append(event.message.decode())
                connection.sendall(frame(self._answer(self.sent[-1]).encode()))


def as_captured(sent: str) -> str:
    """What the captured system said, with the ids of this request."""
    message = parse(sent.encode())
    if message.trigger == "ADT^A28":
        return ACK.replace("CTRL-0001", message.control_id)
    local = message["QPD"].text(3, 2)
    return FOUND.replace("CTRL-0002", message.control_id).replace("ZK-04711", local).replace("POINTER-1", "OTHER-9")


CONVERSATION = (
    recorded(1, "ITI-30", er7(FEED), er7(ACK)),
    recorded(2, "ITI-21", er7(ASKED), er7(FOUND)),
    recorded(3, "ITI-21", er7(MORE), er7(FOUND.replace("CTRL-0002", "CTRL-0003"))),
)


def test_ids_are_fresh_times_are_of_now_and_what_answers_gave_is_carried_over(tmp_path: Path, serve: Serve) -> None:
    server = Answering(as_captured)
    code, told = replayed(kept(tmp_path, *CONVERSATION), "--mllp", f"127.0.0.1:{serve(server)}")
    assert code == 0, told
    assert [each["equal"] for each in told] == [True, True, True]
    feed, asked, more = (parse(each.encode()) for each in server.sent)
    ids = [each.control_id for each in (feed, asked, more)]
    assert len(set(ids)) == 3 and not any(each.startswith("CTRL") for each in ids)
    local, national = (each.text(1) for each in feed["PID"].repetitions(3))
    assert local != "ZK-04711" and asked["QPD"].text(3, 2) == local == more["QPD"].text(3, 2)
    assert matricule.is_valid(national) and national != NATIONAL and national.startswith("19870412")
    assert feed["PID"].text(7) == "19870412" and feed["PID"].text(5) == "Wolter"
    assert asked["QPD"].text(2) == more["QPD"].text(2) != "QUERY-0001"
    assert more["DSC"].text(1) == "OTHER-9"
    age = datetime.now(UTC) - datetime.strptime(feed.header.text(7), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert abs(age) < timedelta(minutes=5)


def test_a_system_that_answers_differently_is_told_of(tmp_path: Path, serve: Serve) -> None:
    def refuses(sent: str) -> str:
        said = as_captured(sent)
        return (
            said.replace("MSA|AA", "MSA|AE") + "ERR||PID^1^3|204|E\r" if "ADT" in sent else said.replace("|OK", "|NF")
        )

    options = ("--mllp", f"127.0.0.1:{serve(Answering(refuses))}")
    capture = kept(tmp_path, *CONVERSATION)
    code, told = replayed(capture, *options)
    assert code == 1
    assert told[0]["differences"] == [
        {"aspect": "MSA-1", "captured": "AA", "replayed": "AE"},
        {"aspect": "ERR", "captured": None, "replayed": "204"},
    ]
    assert told[1]["differences"] == [{"aspect": "QAK-2", "captured": "OK", "replayed": "NF"}]
    shown = CliRunner().invoke(app, ["conform", "replay", str(capture), *options]).stdout
    assert "QAK-2" in shown and "0 of 3 answers are equal" in shown


def test_patients_stay_where_that_is_wanted_and_names_are_mapped(tmp_path: Path, serve: Serve) -> None:
    server = Answering(as_captured)
    where = ("--mllp", f"127.0.0.1:{serve(server)}")
    replayed(kept(tmp_path, *CONVERSATION), *where, "--same-patients", "--map", "LAB=LAB-TEST")
    feed = parse(server.sent[0].encode())
    assert feed["PID"].text(3) == "ZK-04711" and feed.sending_facility == "LAB-TEST"


def test_what_was_not_whole_is_not_sent(tmp_path: Path) -> None:
    capture = kept(tmp_path, recorded(1, "ITI-30", er7(FEED), None, "the client reset the connection"))
    code, (told,) = replayed(capture, "--mllp", "127.0.0.1:9")
    assert code == 0 and told["skipped"] == "the captured exchange is not whole: the client reset the connection"


def test_nobody_there_is_a_difference(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    code, told = replayed(kept(tmp_path, CONVERSATION[0]), "--mllp", f"127.0.0.1:{port}")
    assert code == 1
    assert {"aspect": "answer", "captured": None, "replayed": "none: no answer"} in told[0]["differences"]


RIM = 'xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"'
OLD_UUID, NEW_UUID = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def answer_with(uuid: str, unique_id: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        '<q:AdhocQueryResponse status="urn:x:Success" '
        f'xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"><ExtrinsicObject {RIM} id="urn:uuid:{uuid}">'
        '<ExternalIdentifier identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" '
        f'value="{unique_id}"/></ExtrinsicObject></q:AdhocQueryResponse></e:Body></e:Envelope>'
    ).encode()


def asking(message_id: str, about: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">'
        f"<e:Header><a:To>http://old.example/x</a:To><a:MessageID>urn:uuid:{message_id}</a:MessageID></e:Header>"
        f"<e:Body><Ask>{about}</Ask></e:Body></e:Envelope>"
    ).encode()


def over_http(start: str, body: bytes) -> Message:
    head = f"{start}\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return cut(head, BytesIO(body), Spool())


def test_an_entry_uuid_that_an_answer_gave_is_the_one_that_is_asked_for_next(tmp_path: Path, serve: Serve) -> None:
    received: list[_Element] = []

    def answer(connection: socket.socket) -> None:
        received.append(read_http(connection)[1])
        answer_http(connection, answer_with(NEW_UUID, "2.25.7"))

    first = "33333333-3333-4333-8333-333333333333"
    said = over_http("HTTP/1.1 200 OK", answer_with(OLD_UUID, "2.25.7"))
    capture = kept(
        tmp_path,
        recorded(1, "ITI-18", over_http("POST /x HTTP/1.1", asking(first, "everything")), said),
        recorded(2, "ITI-18", over_http("POST /x HTTP/1.1", asking(first, f"urn:uuid:{OLD_UUID}")), said),
    )
    code, told = replayed(capture, "--http", f"http://127.0.0.1:{serve(answer)}")
    assert code == 0, told
    assert received[1].findtext(".//Ask") == f"urn:uuid:{NEW_UUID}"
    assert received[0].findtext(".//{*}To") == "http://old.example/x"
    message_ids = {each.findtext(".//{*}MessageID") for each in received}
    assert f"urn:uuid:{first}" not in message_ids


ISSUER, AUDIENCE = "urn:test:issuer", "urn:test:audience"


class TestWhoAsks:
    """A captured assertion has ended, and its signature is of a key that nobody here has."""

    @pytest.fixture
    def capture(self, tmp_path: Path) -> Path:
        """A question of a nurse, long ago."""
        key, certificate = make_stranger(LONG_AGO)
        old = DevelopmentSTS("urn:test:old", key, certificate).issue(DemoRole.NURSE, LONG_AGO, "urn:test:elsewhere")
        asked = asking(str(uuid4()), "everything").replace(b"</e:Header>", security_header(old) + b"</e:Header>")
        said = over_http("HTTP/1.1 200 OK", answer_with(OLD_UUID, "2.25.7"))
        return kept(tmp_path, recorded(1, "ITI-18", over_http("POST /x HTTP/1.1", asked), said))

    @pytest.fixture
    def sts(self) -> DevelopmentSTS:
        """An issuer whom the other system trusts."""
        return DevelopmentSTS(ISSUER, *make_stranger(datetime.now(UTC)))

    @pytest.fixture
    def asked(self, serve: Serve) -> "Asked":
        return Asked(serve)

    def test_a_key_signs_anew_what_the_assertion_said(
        self, capture: Path, sts: DevelopmentSTS, asked: "Asked", tmp_path: Path
    ) -> None:
        key, certificate = tmp_path / "sts.key", tmp_path / "sts.pem"
        key.write_bytes(sts.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        certificate.write_bytes(sts.certificate.public_bytes(Encoding.PEM))
        signing = ("--sign-key", str(key), "--sign-cert", str(certificate), "--issuer", ISSUER, "--audience", AUDIENCE)
        code, told = replayed(capture, "--http", asked.url, *signing)
        assert code == 0, told
        assert asked.principal(sts).subject_id == PEOPLE[DemoRole.NURSE].name

    def test_a_key_without_its_certificate_is_wrong_use(self, capture: Path, tmp_path: Path) -> None:
        key = tmp_path / "sts.key"
        key.write_text("")
        result = CliRunner().invoke(
            app, ["conform", "replay", str(capture), "--http", "http://127.0.0.1:9", "--sign-key", str(key)]
        )
        assert result.exit_code == 2
        assert "--sign-key and --sign-cert belong together" in result.output

    def test_an_assertion_of_a_file_takes_its_place(
        self, capture: Path, sts: DevelopmentSTS, asked: "Asked", tmp_path: Path
    ) -> None:
        file = tmp_path / "assertion.xml"
        file.write_bytes(serialize(sts.issue(DemoRole.LABORATORY, datetime.now(UTC), AUDIENCE)))
        code, told = replayed(capture, "--http", asked.url, "--assertion", str(file))
        assert code == 0, told
        assert asked.principal(sts).subject_id == PEOPLE[DemoRole.LABORATORY].name

    def test_a_token_service_is_asked_for_one(
        self, capture: Path, sts: DevelopmentSTS, asked: "Asked", serve: Serve
    ) -> None:
        def issue(connection: socket.socket) -> None:
            _, request = read_http(connection)
            assert request.findtext(".//{*}AppliesTo//{*}Address") == AUDIENCE
            answer_http(connection, issued(sts.issue(DemoRole.NURSE, datetime.now(UTC), AUDIENCE)))

        service = ("--sts", f"http://127.0.0.1:{serve(issue)}/sts", "--role", "nurse", "--audience", AUDIENCE)
        code, told = replayed(capture, "--http", asked.url, *service)
        assert code == 0, told
        assert asked.principal(sts).subject_id == PEOPLE[DemoRole.NURSE].name


class Asked:
    """A system that answers as the captured one did, and keeps what it was asked."""

    def __init__(self, serve: Serve) -> None:
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{serve(self._answer)}"

    def principal(self, sts: DevelopmentSTS) -> Principal:
        """Who asked, by the one request that came; its assertion is verified."""
        (request,) = self.requests
        trust = TrustStore([TrustedIssuer(entity_id=sts.issuer, certificates=(sts.certificate,))])
        return Stage(sts, trust, Verifier(trust, [AUDIENCE])).verify(request, now=datetime.now(UTC))

    def _answer(self, connection: socket.socket) -> None:
        request, _ = read_http(connection)
        self.requests.append(request)
        answer_http(connection, answer_with(OLD_UUID, "2.25.7"))


def read_http(connection: socket.socket) -> tuple[bytes, _Element]:
    """The body of a request, as bytes and read."""
    file = connection.makefile("rb")
    lines = list(iter(file.readline, b"\r\n"))
    body = file.read(next(int(each.split(b":")[1]) for each in lines if each.lower().startswith(b"content-length")))
    return body, parse_xml(body)


def answer_http(connection: socket.socket, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def issued(assertion: _Element) -> bytes:
    """The answer of a token service (WS-Trust 1.3: 4.4.3)."""
    namespace = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
    return (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        b'<w:RequestSecurityTokenResponseCollection xmlns:w="%b"><w:RequestSecurityTokenResponse>'
        b"<w:RequestedSecurityToken>%b</w:RequestedSecurityToken></w:RequestSecurityTokenResponse>"
        b"</w:RequestSecurityTokenResponseCollection></e:Body></e:Envelope>"
    ) % (namespace.encode(), serialize(assertion))


def test_only_times_of_the_capture_are_moved() -> None:
    text = b"20200506070809 19870412103000 2020-05-06T07:08:09.5Z 1987-04-12T10:30:00Z 202005060708091"
    span = LONG_AGO, LONG_AGO + timedelta(minutes=1)
    assert moved(text, span, timedelta(days=1, seconds=1)) == (
        b"20200507070810 19870412103000 2020-05-07T07:08:10.5Z 1987-04-12T10:30:00Z 202005060708091"
    )


def test_a_value_is_replaced_as_a_word_alone() -> None:
    carried = Carried(Pseudonyms(b"k" * 32))
    carried.put("1.2.3", "2.25.1")
    assert carried(b"1.2.3 1.2.34 11.2.3 urn:oid:1.2.3 &1.2.3&") == b"2.25.1 1.2.34 11.2.3 urn:oid:2.25.1 &2.25.1&"
