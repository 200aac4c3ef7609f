"""Terms of a vocabulary are what Enum makes of them."""

import pytest

from xds.model import AssociationType, AvailabilityStatus


def test_terms_are_found_by_what_they_are_called_and_by_what_they_say() -> None:
    for name, term in AssociationType.__members__.items():
        assert (term.name, AssociationType[name], AssociationType(term.value)) == (name, term, term)


def test_terms_key_dictionaries() -> None:
    assert {term: term.value for term in AvailabilityStatus}[AvailabilityStatus(APPROVED)] == APPROVED


def test_a_term_stays_as_it_is() -> None:
    with pytest.raises(AttributeError):
        AvailabilityStatus.APPROVED.name = "OTHER"  # type: ignore[misc]


APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
