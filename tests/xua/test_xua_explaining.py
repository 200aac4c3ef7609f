"""What a person is told about an assertion is what the verifier does with it, step by step."""

from dataclasses import replace

import pytest

from soap.xml import parse, serialize
from tests.xua.stage import AUDIENCE, NOW, Stage
from tests.xua.test_xua_attacks import ATTACKS
from xua.conditions import CONDITIONS, Circumstances
from xua.envelope import ASSERTION
from xua.errors import AssertionRefused
from xua.explaining import Verdict, explain
from xua.people import PEOPLE, DemoRole
from xua.proving import PROOF, proof
from xua.steps import Step
from xua.sts import Defect

HERE = Circumstances(now=NOW, audiences=frozenset({AUDIENCE}))
FAILS_AT = {
    Defect.EXPIRED: Step.PERIOD,
    Defect.NOT_YET_VALID: Step.PERIOD,
    Defect.WRONG_AUDIENCE: Step.AUDIENCE,
    Defect.NO_AUTHN_STATEMENT: Step.CONTENT,
    Defect.UNSIGNED: Step.SIGNED,
    Defect.WRONG_KEY: Step.SIGNATURE,
    Defect.FORGED: Step.SIGNATURE,
    Defect.WRAPPED: Step.PLACE,
}


def test_every_step_of_a_good_message_is_told(stage: Stage) -> None:
    told = explain(stage.message(stage.issue()), stage.trust.current, HERE)
    assert [each.step for each in told.findings] == list(Step)
    assert {each.verdict for each in told.findings} == {Verdict.PASSED}
    assert told.principal is not None and told.principal.name_id == PEOPLE[DemoRole.PATIENT].name_id


@pytest.mark.parametrize("defect", FAILS_AT)
def test_the_step_that_fails_is_named(stage: Stage, defect: Defect) -> None:
    told = explain(stage.message(stage.issue(defect=defect)), stage.trust.current, HERE)
    failed = [each.step for each in told.findings if each.verdict is Verdict.FAILED]
    # What has expired is not confirmed any more, either.
    assert failed[0] is FAILS_AT[defect] and set(failed[1:]) <= {Step.CONFIRMATION} and told.principal is None
    assert [each.step for each in told.findings] == list(Step)


def test_conditions_are_told_all_together(stage: Stage) -> None:
    elsewhere = replace(HERE, audiences=frozenset({"urn:x"}), now=NOW.replace(day=5))
    told = explain(stage.message(stage.issue()), stage.trust.current, elsewhere)
    failed = {each.step for each in told.findings if each.verdict is Verdict.FAILED}
    assert failed == {Step.PERIOD, Step.AUDIENCE, Step.CONFIRMATION}


def test_an_assertion_without_message_is_checked_from_there_on(stage: Stage) -> None:
    bare = serialize(stage.issue())
    answer = b'<a xmlns="urn:a"><b>' + bare + b"</b></a>"
    for data in (bare, answer):
        told = explain(data, stage.trust.current, HERE)
        assert told.findings[0].verdict is Verdict.SKIPPED and told.principal is not None


def test_a_comment_in_a_file_is_seen(stage: Stage) -> None:
    name = PEOPLE[DemoRole.PATIENT].name_id.encode()
    told = explain(serialize(stage.issue()).replace(name, name + b"<!---->"), stage.trust.current, HERE)
    assert [each.step for each in told.findings if each.verdict is Verdict.FAILED] == [Step.DOCUMENT]


@pytest.mark.parametrize("data", [b"", b"<a/>", b"no XML", b"<!DOCTYPE a><a/>"])
def test_what_holds_no_assertion_is_said_to_hold_none(stage: Stage, data: bytes) -> None:
    with pytest.raises(ValueError):
        explain(data, stage.trust.current, HERE)


@pytest.mark.parametrize("attack", ATTACKS)
def test_explaining_refuses_for_the_reason_of_the_verifier(stage: Stage, attack: str) -> None:
    message = ATTACKS[attack][0](stage)
    with pytest.raises(AssertionRefused) as caught:
        stage.verify(message)
    if parse(message).find(f".//{ASSERTION}") is None:
        return
    told = explain(message, stage.trust.current, HERE)
    first = next((each.found for each in told.findings if each.verdict is Verdict.FAILED), None)
    # A bare assertion is no message: there the verifier has a reason more.
    assert first == caught.value.reason or told.findings[0].verdict is Verdict.SKIPPED


def test_the_steps_are_in_one_order(stage: Stage) -> None:
    passed = [step for step, _ in proof(serialize(stage.issue()), stage.trust.current, NOW)]
    assert tuple(passed) == PROOF
    assert (Step.PLACE, Step.DOCUMENT, *PROOF, *(each.step for each in CONDITIONS)) == tuple(Step)
