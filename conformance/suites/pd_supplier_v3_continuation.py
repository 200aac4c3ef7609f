"""A Patient Demographics Supplier that returns its patients in parts [ITI-47] (ITI TF-2: 3.47.4.3, 3.47.4.4, O.2.4)."""

import pytest

from affinity.client.patients import Sought
from conformance.counterparts.patients import GIVEN, PatientActors
from conformance.counterparts.v3 import V3Actors, V3Answered
from conformance.covering import Suite, covers
from conformance.expectations_v3 import committed, declined
from conformance.suites.pd_supplier_v3 import SUITE as WITHOUT
from conformance.wrong_v3 import Wrong, altered, left_out, twice, valued
from pix.iti47 import ITI_47
from pix.v3_elements import attribute

SUITE = Suite(actor=WITHOUT.actor, profile="PDQv3", option="Continuation", needs=WITHOUT.needs)
QUERY_ID = "controlActProcess/queryContinuation/queryId"


@pytest.fixture
def family(patients: PatientActors, v3: V3Actors) -> str:
    """The name of five patients, whom nobody takes for one another."""
    name = patients.person().family
    for number, given in enumerate(GIVEN[:5]):
        committed(v3.feed(patients.person(family=name, given=given, birth_date=f"19{number + 4}00115")))
    return name


def _quantities(answered: V3Answered) -> tuple[str | None, ...]:
    ack = "controlActProcess/queryAck"
    return tuple(
        attribute(answered.called.body, f"{ack}/result{name}Quantity") for name in ("Total", "Current", "Remaining")
    )


def _holds(answered: V3Answered, patients: int, remaining: int) -> None:
    """The answer has so many of the five, and says how many are left."""
    due = ("5", str(patients), str(remaining))
    assert len(answered.found.patients) == patients, f"exchange {answered.number}: {len(answered.found.patients)}"
    assert _quantities(answered) == due, f"exchange {answered.number}: {_quantities(answered)} where {due} is due"


@covers("ITI-47-065", "ITI-47-099", "ITI-47-100", "ITI-47-109", "ITI-47-126", "ITI-47-136", "TF2-O-074")
def test_each_patient_comes_once(v3: V3Actors, family: str) -> None:
    """Five patients in parts of two: the quantities tell what is left, and each patient comes once."""
    first = v3.demographics(Sought(family=family), quantity=2)
    second, third = (v3.send(ITI_47, v3.continuation(first)) for _ in range(2))
    for answered, count, remaining in ((first, 2, 3), (second, 2, 1), (third, 1, 0)):
        _holds(answered, count, remaining)
    came = [*first.ids, *second.ids, *third.ids]
    assert len(set(came)) == 5, f"exchange {third.number}: the patients are {came}"


@covers("ITI-47-137")
def test_another_quantity(v3: V3Actors, family: str) -> None:
    """continuationQuantity is the number of patients from then on."""
    first = v3.demographics(Sought(family=family), quantity=1)
    _holds(first, 1, 4)
    _holds(v3.send(ITI_47, v3.continuation(first, continuationQuantity=3)), 3, 1)


@covers("ITI-47-138", "TF2-O-072")
def test_another_start(v3: V3Actors, family: str) -> None:
    """startResultNumber is where the next part begins: what came already comes again."""
    first = v3.demographics(Sought(family=family), quantity=2)
    again = v3.send(ITI_47, v3.continuation(first, startResultNumber=1, continuationQuantity=2))
    assert again.ids == first.ids, f"exchange {again.number}: {again.ids} where {first.ids} are due"


@covers("ITI-47-127")
def test_an_aborted_query(v3: V3Actors, family: str) -> None:
    """A query that is aborted goes on no more: its id is unknown then."""
    first = v3.demographics(Sought(family=family), quantity=2)
    committed(v3.send(ITI_47, v3.cancellation(first)))
    declined(v3.send(ITI_47, v3.continuation(first)), "204", "/queryContinuation/queryId", "AE")


@covers("TF2-O-073")
def test_a_query_of_which_no_more_is_wanted(v3: V3Actors, family: str) -> None:
    """A continuationQuantity of 0 ends the query as well."""
    first = v3.demographics(Sought(family=family), quantity=2)
    committed(v3.send(ITI_47, v3.cancellation(first, "waitContinuedQueryResponse", continuationQuantity=0)))
    declined(v3.send(ITI_47, v3.continuation(first)), "204", "/queryContinuation/queryId", "AE")


@covers("ITI-47-126")
def test_a_query_that_nobody_asked(patients: PatientActors, v3: V3Actors, family: str) -> None:
    """The continuation of a query that is complete is an error."""
    whole = v3.demographics(Sought(family=family))
    declined(v3.send(ITI_47, v3.continuation(whole)), "204", "/queryContinuation/queryId", "AE")


WRONG = (
    altered(
        "status",
        "A continuation that neither waits nor aborts.",
        valued("controlActProcess/queryContinuation/statusCode", "code", "executing"),
        "103",
        "/queryContinuation/statusCode",
        "TF2-O-071",
    ),
    altered("no-id", "A continuation of no query.", left_out(QUERY_ID), "101", "/controlActProcess", "TF2-O-070"),
    altered(
        "mood",
        "A continuation that is not an event.",
        valued("controlActProcess", "moodCode", "RQO"),
        "103",
        "/controlActProcess/@moodCode",
        "TF2-O-069",
    ),
    altered(
        "interaction",
        "A continuation that says that it is a query.",
        valued("interactionId", "extension", "PRPA_IN201305UV02"),
        "200",
        "/interactionId",
        "ITI-47-128",
    ),
    altered(
        "trigger",
        "A continuation with the trigger event of a query.",
        valued("controlActProcess/code", "code", "PRPA_TE201305UV02"),
        "201",
        "/controlActProcess/code",
        "ITI-47-134",
    ),
    altered("receivers", "A continuation with two receivers.", twice("receiver"), "101", "/receiver", "ITI-47-131"),
    altered(
        "quantity",
        "A continuationQuantity that is no number.",
        valued("controlActProcess/queryContinuation/continuationQuantity", "value", "many"),
        "102",
        "/continuationQuantity",
        "ITI-47-040",
    ),
)


@covers("ITI-47-126")
@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_a_continuation_is_declined(case: Wrong, v3: V3Actors, family: str) -> None:
    first = v3.demographics(Sought(family=family), quantity=2)
    body = v3.continuation(first, continuationQuantity=2)
    case.change(body)
    declined(v3.send(ITI_47, body), case.code, case.at)
    _holds(v3.send(ITI_47, v3.continuation(first)), 2, 1)
