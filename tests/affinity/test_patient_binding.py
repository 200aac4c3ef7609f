"""An assertion about one patient: requests about that patient pass, by whichever id; about another, none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from affinity.catalogue import TRANSACTIONS
from affinity.patient_binding import patient_bound
from ihe.datatypes import CX, HD
from ihe.exchange import Exchange, Principal
from xds.iti18 import ITI_18
from xua.errors import AssertionRefused, Subcode

ANNA, HER_LOCAL_ID, BOB = (
    CX(id, HD("", oid, "ISO")) for id, oid in (("1", "2.25.1"), ("77", "2.25.2"), ("2", "2.25.1"))
)
SOMEBODY = Principal(issuer="i", assertion_id="_1", name_id="n")


def exchange(principal: Principal | None) -> Exchange:
    return Exchange(correlation_id="c", received_at=datetime(2031, 5, 4, tzinfo=UTC), principal=principal)


def about(patient: CX, *, bound: bool = True) -> Principal:
    return replace(SOMEBODY, resource_id=str(patient), patient_bound=bound)


def handle(*asked: CX) -> Callable[[Principal | None], Any]:
    """A transaction that asks for these patients, in a domain where Anna has two ids."""
    declared: Any = replace(ITI_18, patients=lambda _: asked, handle=lambda *_: "answered")
    (bound,) = patient_bound((declared,), lambda one, other: one == other or {one, other} == {ANNA, HER_LOCAL_ID})
    return lambda principal: bound.handle(None, None, exchange(principal))


@pytest.mark.parametrize("principal", [None, SOMEBODY, about(ANNA), about(HER_LOCAL_ID), about(BOB, bound=False)])
def test_a_request_about_the_same_patient_is_answered(principal: Principal | None) -> None:
    assert handle(ANNA)(principal) == "answered"


@pytest.mark.parametrize("asked", [(BOB,), (ANNA, BOB), (BOB, ANNA)])
def test_a_request_about_another_patient_is_refused(asked: tuple[CX, ...]) -> None:
    with pytest.raises(AssertionRefused) as caught:
        handle(*asked)(about(ANNA))
    assert caught.value.subcode is Subcode.FAILED_AUTHENTICATION
    assert "another patient than the ITI-18 request" in caught.value.reason
    assert not any(each.id in caught.value.reason.split() for each in (ANNA, BOB))


def test_a_request_that_names_nobody_is_answered() -> None:
    assert handle()(about(ANNA)) == "answered"


def test_every_soap_transaction_that_names_patients_says_whom() -> None:
    naming = {each.id for each in TRANSACTIONS if each.patients(_Any()) != ()}
    assert naming == {"ITI-18", "ITI-41", "ITI-42", "ITI-45", "ITI-51", "ITI-57", "ITI-61"}


class _Any:
    """A request of any kind."""

    def __getattr__(self, name: str) -> Any:
        return _Any()

    def __iter__(self) -> Any:
        return iter(())
