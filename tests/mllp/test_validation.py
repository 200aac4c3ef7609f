"""The second opinion of hl7apy: what it finds, what is its own fault, and what happens when it fails."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from hl7v2.er7 import parse
from ihe.errors import HL7ErrorCode, Rejected, Severity
from mllp.validation import Policy, Validator

ADMISSION = (
    b"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||ADT^A04|1|P|2.3.1\nEVN||20261123\n"
    b"PID|1||77^^^NS||Doe^Jo||19800101|F\nPV1||O\n"
)
QUERY = (
    b"MSH|^~\\&|LIS|LAB|MPI|AGENCY|20261123||QBP^Q22^QBP_Q21|1|P|2.5\r"
    b"QPD|IHE PDQ Query|q1|@PID.5.1^Doe~@PID.7^1980|||||^^^NS\rRCP|I\r"
)


@pytest.fixture(scope="module")
def validator() -> Iterator[Validator]:
    found = Validator(timeout=60, every=2)
    yield found
    found.close()


def test_a_good_message_passes_though_hl7apy_alone_would_not_know_its_structure(validator: Validator) -> None:
    assert validator.check(parse(ADMISSION)) == ()


def test_a_query_is_not_blamed_for_its_parameters(validator: Validator) -> None:
    assert validator.check(parse(QUERY)) == ()


@pytest.mark.parametrize(
    ("change", "code", "location"),
    [
        ((b"||Doe^Jo||", b"||||"), HL7ErrorCode.REQUIRED_FIELD_MISSING, "PID^1^5"),
        ((b"PV1||O\n", b""), HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, "PV1^1"),
        ((b"EVN||20261123\n", b"EVN||20261123\nEVN||20261123\n"), HL7ErrorCode.SEGMENT_SEQUENCE_ERROR, "EVN^2"),
    ],
)
def test_a_strict_source_is_refused_with_code_and_location(
    change: tuple[bytes, bytes], code: HL7ErrorCode, location: str, validator: Validator
) -> None:
    with pytest.raises(Rejected) as caught:
        validator.enforce(parse(ADMISSION.replace(*change)), Policy.STRICT)
    assert [(breach.code, breach.location) for breach in caught.value.breaches] == [(code, location)]


def test_a_value_outside_its_table_is_a_warning_and_does_not_refuse(validator: Validator) -> None:
    message = parse(ADMISSION.replace(b"PV1||O", b"PV1||X"))
    assert [(breach.code, breach.severity) for breach in validator.check(message)] == [
        (HL7ErrorCode.TABLE_VALUE_NOT_FOUND, Severity.WARNING)
    ]
    validator.enforce(message, Policy.STRICT)


def test_a_sampled_source_is_looked_at_now_and_then_and_never_refused(validator: Validator) -> None:
    message = parse(ADMISSION.replace(b"PV1||O\n", b""))
    with capture_logs() as logs:
        for _ in range(4):
            validator.enforce(message, Policy.SAMPLED)
    assert [(entry["event"], entry["at"]) for entry in logs] == [("hl7 structure doubtful", ["PV1^1"])] * 2


def test_a_source_that_is_off_costs_nothing() -> None:
    validator = Validator()
    validator.enforce(parse(ADMISSION.replace(b"PV1||O\n", b"")), Policy.OFF)
    assert validator._worker is None


def test_a_worker_that_dies_is_replaced(validator: Validator) -> None:
    validator.check(parse(ADMISSION))
    assert validator._worker is not None
    validator._worker.kill()
    validator._worker.wait()
    assert validator.check(parse(ADMISSION.replace(b"PV1||O\n", b""))) == ()
    assert len(validator.check(parse(ADMISSION.replace(b"PV1||O\n", b"")))) == 1


def test_a_worker_that_takes_too_long_blames_nobody() -> None:
    validator = Validator(timeout=0)
    with capture_logs() as logs:
        assert validator.check(parse(ADMISSION.replace(b"PV1||O\n", b""))) == ()
    assert logs[0]["failure"] == "TimeoutError"
    validator.close()
