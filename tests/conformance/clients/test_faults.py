"""Each fault of a plan, as a client sees it on the wire; and plans that cannot be meant."""

import socket
import time
from pathlib import Path

import pytest

from conformance.clients.session import Session
from conformance.simulators.faults import Fault, FaultKind, FaultPlan, UnusablePlan, spelled
from conformance.simulators.plan_file import read_plan
from hl7v2.er7 import parse
from mllp.framing import frame
from soap.client import FaultReceived, NoAnswer
from tests.conformance.clients.messengers import Asker
from tests.conformance.clients.web import HIS


def soap(session: Session, *, retrieves: bool = False) -> object:
    """What a consumer gets: the answer, or the error that it raises."""
    his = HIS(session)
    try:
        return his.call(his.retrieval() if retrieves else his.query(), retrieves=retrieves)
    except (OSError, NoAnswer, FaultReceived) as error:
        return error


def raw(session: Session) -> bytes:
    """All that comes back over MLLP until the simulator hangs up or a frame is whole."""
    asker = Asker(session)
    with socket.create_connection(("127.0.0.1", session.ports["mllp"]), 20) as line:
        line.sendall(frame(asker.question("query")))
        got = bytearray()
        while not got.endswith(b"\x1c\r") and (data := line.recv(65536)):
            got += data
    return bytes(got)


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("ITI-18 1 drop", ConnectionResetError, ""),
        ("ITI-18 1 close-before-answer", NoAnswer, "without response|RemoteDisconnected"),
        ("ITI-18 1 not-well-formed", NoAnswer, "not well-formed"),
        ("ITI-18 1 truncated", NoAnswer, "not well-formed"),
        ("ITI-18 1 wrong-content-type", NoAnswer, "text/html"),
        ("ITI-18 1 http-status 503", NoAnswer, "HTTP 503"),
        ("ITI-18 1 soap-fault Receiver", FaultReceived, "Receiver"),
        ("any 1 soap-fault wsse:InvalidSecurity", FaultReceived, "Sender/InvalidSecurity"),
    ],
)
def test_a_fault_is_seen_by_a_client_of_web_services(listen, fault: str, error: type, said: str) -> None:
    session = listen("document-consumer", spelled(fault))
    came = soap(session)
    assert isinstance(came, error), came
    assert any(word in repr(came) for word in said.split("|"))
    noted = session.course.judged[0].seen
    assert str(noted.fault) == fault
    assert not isinstance(soap(session), Exception), "the second request meets no fault"


@pytest.mark.parametrize(("fault", "related"), [("no-relates-to", None), ("wrong-relates-to", "urn:uuid:0000")])
def test_an_answer_says_whose_it_is_as_planned(listen, fault: str, related: str | None) -> None:
    answer = soap(listen("document-consumer", spelled(f"ITI-18 each {fault}")))
    told = answer.relates_to  # type: ignore[attr-defined]
    assert told is None if related is None else told.startswith(related)


@pytest.mark.parametrize("code", ["XDSRegistryMetadataError", "XDSDuplicateUniqueIdInRegistry", "XDSRegistryBusy"])
def test_a_registry_error_is_the_one_that_was_named(listen, code: str) -> None:
    answer = soap(listen("document-consumer", spelled(f"ITI-18 each refuse {code}")))
    assert [each.get("errorCode") for each in answer.body.iter("{*}RegistryError")] == [code]  # type: ignore[attr-defined]


def test_an_error_code_that_no_table_has(listen) -> None:
    session = listen("document-consumer", spelled("ITI-18 each wrong-error-code"))
    answer = HIS(session).call(HIS(session).query().replace(b"SIM-1^", b"SIM-NOBODY^"))
    assert {each.get("errorCode") for each in answer.body.iter("{*}RegistryError")} == {"XDSNoSuchError"}


def test_a_document_is_altered_by_one_bit_and_its_package_cut(listen) -> None:
    session = listen("document-consumer", spelled("ITI-43 2 altered-document"), spelled("ITI-43 3 truncated"))
    good, altered, cut = (soap(session, retrieves=True) for _ in range(3))
    wanted = session.course.world.documents[0].content
    bodies = [each.seen.exchange.answer.content for each in session.course.judged]
    assert wanted in bodies[0]
    assert wanted not in bodies[1]
    assert len(bodies[0]) == len(bodies[1])
    assert not isinstance(good, Exception)
    assert not isinstance(altered, Exception)
    assert isinstance(cut, NoAnswer)


def test_an_answer_that_trickles_comes_whole_and_slowly(listen) -> None:
    session = listen("pix-consumer", spelled("ITI-9 1 trickle 500"))
    began = time.monotonic()
    slow = raw(session)
    assert time.monotonic() - began > 0.5 * len(slow) / 500
    assert parse(slow[1:-2])["MSA"].text(1) == "AA"


def test_an_answer_waits_as_long_as_planned(listen) -> None:
    session = listen("pix-consumer", spelled("ITI-9 1 delay 0.7"))
    began = time.monotonic()
    raw(session)
    assert time.monotonic() - began >= 0.7


def test_the_simulator_notes_that_nobody_waited_for_a_late_answer(listen) -> None:
    session = listen("pix-consumer", spelled("ITI-9 1 delay 0.2"))
    asker = Asker(session)
    asker.send(asker.question("query"), timeout=0.05)
    asker.send(asker.question("query"))
    assert [each.name for each in session.course.judged] == ["ITI-9", "ITI-9"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("no-msa", lambda answer: "MSA" not in answer),
        ("wrong-msa-2", lambda answer: answer["MSA"].text(2) == "0000-ANOTHER"),
        ("refuse AE", lambda answer: answer["MSA"].text(1) == "AE" and answer["ERR"].text(3) == "101"),
        ("refuse AR", lambda answer: answer["MSA"].text(1) == "AR" and answer["ERR"].text(3) == "207"),
        ("refuse 204", lambda answer: answer["MSA"].text(1) == "AE" and answer["ERR"].text(3) == "204"),
    ],
)
def test_a_fault_is_seen_by_a_client_of_hl7_v2(listen, fault: str, expected) -> None:
    assert expected(parse(raw(listen("pix-consumer", spelled(f"ITI-9 each {fault}")))[1:-2]))


def test_an_error_code_that_table_0357_does_not_have(listen) -> None:
    session = listen("pix-consumer", spelled("ITI-9 each wrong-error-code"))
    asker = Asker(session)
    assert parse(asker.send(asker.question("unknown-patient")))["ERR"].text(3) == "999"


@pytest.mark.parametrize("fault", ["drop", "close-before-answer"])
def test_nothing_comes_back(listen, fault: str) -> None:
    asker = Asker(listen("pix-consumer", spelled(f"ITI-9 each {fault}")))
    assert asker.send(asker.question("query")) == b""


def test_what_is_no_hl7_comes_in_a_frame(listen) -> None:
    assert raw(listen("pix-consumer", spelled("any 1 not-well-formed"))) == b"\x0b<html>502 Bad Gateway</html>\x1c\r"


def test_a_plan_counts_the_requests_of_each_transaction() -> None:
    plan = FaultPlan((spelled("ITI-41 2 drop"), spelled("any 4 http-status 500")))
    met = [plan.due(name) for name in ("ITI-41", "ITI-18", "ITI-41", "ITI-18", "ITI-41")]
    assert [str(each) if each else "" for each in met] == ["", "", "ITI-41 2 drop", "any 4 http-status 500", ""]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ITI-41 2", "TRANSACTION NUMBER FAULT"),
        ("ITI-99 2 drop", "no such transaction"),
        ("ITI-41 0 drop", "counted from 1"),
        ("ITI-41 second drop", "the number of a request"),
        ("ITI-41 2 explode", "is no fault"),
        ("ITI-41 2 delay", "a number of seconds"),
        ("ITI-41 2 delay soon", "a number of seconds"),
        ("ITI-41 2 trickle 1.5", "a whole number"),
        ("ITI-41 2 drop 5", "takes no detail"),
        ("ITI-41 2 refuse XDSNonsense", "neither a code of a RegistryError"),
        ("ITI-41 2 soap-fault Nonsense", "no code of SOAP 1.2"),
        ("ITI-41 2 no-msa", "not spoken over the wire"),
        ("ITI-8 2 truncated", "not spoken over the wire"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(words: str, said: str) -> None:
    with pytest.raises(UnusablePlan, match=said):
        spelled(words)


def test_a_plan_stands_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[[fault]]\ntransaction = "ITI-41"\nrequest = 2\nfault = "delay"\ndetail = 1.5\n\n[[fault]]\nfault = "drop"\n'
    )
    assert read_plan(file) == (
        Fault(kind=FaultKind.DELAY, transaction="ITI-41", request=2, detail="1.5"),
        Fault(kind=FaultKind.DROP),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault]]\nfalt = 'drop'", "falt"),
        ("[[fault]]\nfault = 'drop'\nrequest = 0", "request"),
        ("[[fault]", "plan.toml"),
    ],
)
def test_a_file_that_holds_no_plan_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(UnusablePlan, match=said):
        read_plan(file)
