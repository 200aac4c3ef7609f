"""What tests of HL7 v3 expect, as sentences; each raises AssertionError with what came instead."""

import re
from collections.abc import Iterable

from conformance.counterparts.v3 import PREFIX, V3Answered
from pix.v3_answers import ACCEPT_ACKNOWLEDGEMENT

NUMBER = re.compile(r"\[[^]]*\]")
"""A predicate of a step of an XPath."""


def committed(answered: V3Answered) -> None:
    """A feed was taken: an accept acknowledgement with CA (ITI TF-2: O.1.2)."""
    came = (answered.name, answered.found.code)
    due = (ACCEPT_ACKNOWLEDGEMENT, "CA")
    assert came == due, f"exchange {answered.number}: {came} where {due} was due: {_said(answered)}"


def found(answered: V3Answered, ids: Iterable[str]) -> None:
    """A query was answered with AA and OK, and with just these ids."""
    _outcome(answered, "AA", "OK")
    due = sorted(ids)
    assert sorted(answered.ids) == due, f"exchange {answered.number}: {answered.ids} where {due} are due"


def nobody(answered: V3Answered) -> None:
    """A query was answered with AA and NF, and without patients."""
    _outcome(answered, "AA", "NF")
    assert not answered.found.patients, f"exchange {answered.number}: patients were returned"


def declined(answered: V3Answered, code: str, at: str, outcome: str | None = None) -> None:
    """The message was refused with this code of HL7 table 0357, at a place that ends with ``at``.

    Steps of the place are compared without prefixes and numbers. ``outcome`` is the queryResponseCode due.
    """
    told = answered.found
    number = answered.number
    assert told.code in ("AE", "AR", "CE", "CR"), f"exchange {number}: {told.code} where a refusal was due"
    fitting = [each for each in told.remarks if each.code == code]
    assert fitting, f"exchange {number}: {_said(answered)} where {code} was due"
    assert any(_plain(each.location).endswith(at) for each in fitting), (
        f"exchange {number}: {code} is at {[each.location for each in fitting]}, not at {at}"
    )
    assert not told.patients, f"exchange {number}: patients were returned with the refusal"
    if outcome is not None:
        assert told.outcome == outcome, f"exchange {number}: queryResponseCode {told.outcome}, not {outcome}"


def names(answered: V3Answered, code: str, *values: dict[str, str]) -> None:
    """For each of these values of the question a detail of this code is there whose location, an XPath, selects it."""
    details = [each for each in answered.found.remarks if each.code == code and each.severity == "E"]
    selected = [value for each in details for value in answered.selected(each.location)]
    assert sorted(map(str, selected)) == sorted(map(str, values)), (
        f"exchange {answered.number}: the details of code {code} select {selected} where {list(values)} are due"
    )


def _outcome(answered: V3Answered, code: str, outcome: str) -> None:
    came = (answered.found.code, answered.found.outcome)
    due = (code, outcome)
    assert came == due, f"exchange {answered.number}: {came} where {due} was due: {_said(answered)}"


def _said(answered: V3Answered) -> str:
    return "; ".join(str(each) for each in answered.found.remarks) or "no acknowledgementDetail"


def _plain(location: str) -> str:
    return PREFIX.sub("", NUMBER.sub("", location))
