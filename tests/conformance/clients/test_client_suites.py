"""Each suite for a client: a good client meets every step, one with a single change breaks the one it is about."""

import re
import socket
import ssl
from dataclasses import replace
from typing import Any

import pytest

from affinity.client import xds
from conformance.catalogue import Role, catalogue
from conformance.clients.messages_judged import checked
from conformance.clients.outcomes import is_done, run_of
from conformance.clients.session import Session
from conformance.clients.steps import ClientSuite
from conformance.clients.suites import client_suite, client_suites
from conformance.results import Outcome, Run, verdicts
from conformance.simulators.faults import spelled
from ihe.identifiers import UniqueId, new_oid
from tests.conformance.clients.play import VENDORS, play, told, until
from tests.conformance.clients.web import LIS
from xds.model import Submission

Made = tuple[Submission, bytes]


def run(session: Session) -> Run:
    return run_of(session.course, session.desk.transcript, "vendor", session.course.began, 1.0)


@pytest.mark.parametrize("suite", sorted(VENDORS))
def test_a_good_client_meets_every_step(listen, suite: str) -> None:
    session = listen(suite)
    stands = play(session)
    assert set(stands.values()) == {"met"}, told(session)
    assert [each for one in session.course.judged for each in one.errors] == []
    assert is_done(run(session))


def described(**changed: Any) -> Any:
    """A submission whose one document is described otherwise."""

    def change(made: Made) -> Made:
        submission, content = made
        entry = replace(submission.document_entries[0], **changed)
        return xds.assemble(submission.submission_set, (entry,)), content

    return change


def under_another_id(made: Made) -> Made:
    submission, content = made
    packed = replace(submission.submission_set, unique_id=UniqueId(new_oid()))
    return described(unique_id=UniqueId(new_oid()))((replace(submission, submission_set=packed), content))


def no_replacement(made: Made) -> Made:
    """The bytes of something that is no CDA document."""
    return made[0], b"<report/>"


def as_it_was(value: Any) -> Any:
    return value


def instead(old: bytes, new: bytes) -> Any:
    def change(body: bytes) -> bytes:
        assert old in body, body
        return body.replace(old, new)

    return change


def with_new_control_id(message: bytes) -> bytes:
    fields = message.split(b"|")
    fields[9] = b"ANOTHER-" + fields[9][:8]
    return b"|".join(fields)


def without_segment(name: bytes) -> Any:
    return lambda message: b"\r".join(each for each in message.split(b"\r") if not each.startswith(name))


def merged_into_itself(message: bytes) -> bytes:
    pid = next(each for each in message.split(b"\r") if each.startswith(b"PID"))
    return re.sub(rb"MRG\|[^\r]*", b"MRG|" + pid.split(b"|")[3], message)


def outdated(news: Any) -> Any:
    return replace(news, message_id=f"{int(news.message_id, 16) + (1 << 100):032x}"[-32:])


CHANGES = [
    ("document-source", "submit-report", described(creation_time="2026-11-23"), "creationTime"),
    ("document-source", "submit-report", described(unique_id=UniqueId("2.25.1")), "ClinicalDocument/id"),
    ("document-source", "submit-report", no_replacement, "none of its documents is a CDA document"),
    ("document-source", "late-answer", under_another_id, "twice"),
    ("document-source", "answer-not-well-formed", under_another_id, "twice"),
    ("document-source", "metadata-error", as_it_was, "unchanged"),
    ("document-source", "duplicate-unique-id", as_it_was, "unchanged"),
    ("document-source", "soap-fault", lambda made: (under_another_id(made)[0], made[1] + b" "), "another document"),
    ("document-consumer", "find-documents", instead(b"SIM-1^", b"SIM-2^"), "does not ask about"),
    ("document-consumer", "find-documents", instead(b"'urn", b"urn"), "SHALL|quote|Status"),
    ("document-consumer", "retrieve", instead(b"DocumentUniqueId>2.25", b"DocumentUniqueId>2.26"), "does not ask for"),
    ("document-consumer", "altered-document", instead(b"UniqueId>2.25", b"UniqueId>2.26"), "other documents"),
    ("document-consumer", "too-many-results", instead(b"ObjectRef", b"LeafClass"), "same query"),
    ("x-service-user", "query-with-assertion", lambda _: b"", "no SAML 2.0 assertion"),
    ("x-service-user", "failed-authentication", as_it_was, "came again"),
    ("patient-identity-source", "feed", instead(b"IHERED&1.3.6.1.4.1.21367.13.20.1000", b"IHEBLUE"), "PID-3 has no id"),
    ("patient-identity-source", "feed", instead(b"|Probe^Ida^^^^^L|", b"||"), "name"),
    ("patient-identity-source", "characters", instead("Müller".encode(), b"Mueller"), "plain ASCII"),
    ("patient-identity-source", "late-acknowledgement", with_new_control_id, "another MSH-10"),
    ("patient-identity-source", "lost-acknowledgement", with_new_control_id, "another MSH-10"),
    ("patient-identity-source", "foreign-acknowledgement", with_new_control_id, "another MSH-10"),
    ("patient-identity-source", "no-msa", with_new_control_id, "another MSH-10"),
    ("patient-identity-source", "refused-with-error", instead(b"Mended", b"Probe"), "unchanged"),
    ("patient-identity-source", "rejected", instead(b"VENDOR-", b"OTHER-"), "another patient"),
    ("patient-identity-source", "merge", merged_into_itself, "MRG-1"),
    (
        "patient-identity-source-v3",
        "update",
        instead(b'"1.3.6.1.4.1.21367.13.20.1000"', b'"2.25.9"'),
        "no root",
    ),
    ("patient-identity-source-v3", "lost-answer", instead(b'extension="1"', b'extension="7"'), "another message id"),
    ("patient-identity-source-v3", "refused", instead(b"Mended", b"Weber"), "unchanged"),
    ("patient-identity-source-v3", "merge", lambda body: re.sub(rb"(V3-\d+)-\d+", rb"\1-1", body), "own"),
    ("pix-consumer", "query", instead(b"|SIM-1^", b"|SIM-ALONE^"), "QPD-3 asks about"),
    ("pix-consumer", "query-one-domain", instead(b"|^^^IHEGREEN", b"|^^^IHERED"), "QPD-4|domain"),
    ("pix-consumer", "no-answer", instead(b"|SIM-1^", b"|SIM-ALONE^"), "QPD-3"),
    ("pix-consumer-v3", "unknown-patient", instead(b"SIM-NOBODY", b"SIM-1"), "patientIdentifier"),
    ("pdq-consumer", "search-by-name", instead(b"Exemplar", b"Solitaire"), "@PID.5.1.1"),
    ("pdq-consumer", "next-page", without_segment(b"DSC"), "no DSC"),
    ("pdq-consumer-v3", "search-by-name", instead(b"Exemplar", b"Solitaire"), "livingSubjectName"),
    ("audit-sender", "start", instead(b"<85>", b"<13>"), "facility"),
    ("audit-sender", "collector-away", instead(b"lis@lab", b"lis@lob"), "did not come again"),
    ("audit-sender-udp", "transaction", instead(b"csd-code", b"code"), "csd-code"),
    ("pix-manager-notifications", "lost-acknowledgement", outdated, "another MSH-10"),
]


@pytest.mark.parametrize(
    ("suite", "step", "change", "said"),
    CHANGES,
    ids=[f"{one[0]}-{one[1]}-{number}" for number, one in enumerate(CHANGES)],
)
def test_one_change_breaks_one_step(listen, suite: str, step: str, change: Any, said: str) -> None:
    first, second, *_ = (each.name for each in client_suite(suite).steps)
    session = listen(suite, steps=(first, second, step))
    stands = play(session, step=step, change=change)
    broken = {name for name, standing in stands.items() if standing == "broken"}
    assert broken == {step}, told(session)
    message = next(stand.message for stand in session.course.snapshot() if stand.step.name == step)
    assert any(word in message for word in said.split("|")), message
    assert not is_done(run(session))


@pytest.mark.parametrize("suite", client_suites(), ids=lambda suite: suite.name)
def test_what_steps_cover_is_about_the_actor_under_test(suite: ClientSuite) -> None:
    known = {each.id: each for each in catalogue()}
    bound = {suite.actor, Role.INITIATOR, Role.ANY, Role.SECURE_NODE}
    for step in suite.steps:
        assert {known[each].actor for each in step.covers} <= bound, step.name


def test_what_all_messages_keep_and_what_one_broke(listen) -> None:
    session = listen("document-source")
    play(session, step="submit-report", change=described(creation_time="2026-11-23"))
    came = run(session)
    told = {each.name: each for each in came.results}
    broken = told["messages-ITI-41-unsound"]
    assert broken.outcome is Outcome.FAILED
    assert broken.exchanges == (1,)
    kept = told["messages-ITI-41-sound"].covers
    assert set(kept) == checked("ITI-41", ["ProvideAndRegisterDocumentSetRequest"]) - set(broken.broken)
    assert len(kept) > 20
    assert verdicts(came.results)["ITI-41-014"] is Outcome.PASSED
    assert all(verdicts(came.results)[each] is Outcome.FAILED for each in broken.broken)


def test_a_client_that_stops_half_way_leaves_steps_that_wait(listen) -> None:
    session = listen("document-source")
    vendor = LIS(session)
    vendor.act("submit-report")
    with socket.create_connection(("127.0.0.1", session.ports["http"])) as line:
        line.sendall(b"POST /xds/repository HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n<half")
    until(session, lambda: len(session.course.judged) == 2)
    stopped = session.course.judged[1].seen.exchange
    assert stopped.answer is None
    assert "broke off after 5 bytes" in stopped.failure
    outcomes = [each.outcome for each in run(session).results if not each.name.startswith("messages")]
    assert outcomes == [Outcome.PASSED] + [Outcome.WAITING] * 8
    assert not is_done(run(session))


class Careless(LIS):
    """A source that believes any server."""

    @property
    def tls(self) -> ssl.SSLContext:
        context = super().tls
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@pytest.mark.parametrize("step", ["expired-certificate", "unknown-authority"])
def test_a_client_that_believes_any_server_breaks_the_steps_about_certificates(listen, step: str) -> None:
    session = listen("document-source", steps=(step,))
    Careless(session).act(step)
    (stand,) = session.course.snapshot()
    assert stand.standing == "broken"
    assert "a connection that it had to refuse" in stand.message


def test_a_fault_that_was_asked_for_goes_before_the_one_of_a_step(listen) -> None:
    session = listen("document-source", spelled("ITI-41 1 http-status 500"), steps=("metadata-error",))
    play(session)
    assert [str(each.seen.fault) for each in session.course.judged] == ["ITI-41 1 http-status 500", "None"]


def test_a_step_that_is_not_claimed_is_not_waited_for(listen) -> None:
    session = listen("document-source", skipped={"replace-report", "late-answer"})
    stands = play(session)
    assert stands["replace-report"] == stands["late-answer"] == "not claimed"
    assert is_done(run(session))


def test_whoever_sends_after_the_last_step_is_judged_all_the_same(listen) -> None:
    session = listen("document-source", steps=("submit-report",))
    play(session)
    LIS(session, step="submit-report", change=described(creation_time="2026-11-23")).act("submit-report")
    assert session.course.judged[-1].errors
    assert not is_done(run(session))
