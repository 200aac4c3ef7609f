"""A desk that takes v3 messages to an empty patient index."""

import pytest

from pix.manager import PatientIndex
from tests.pix.v3.desk import Desk


@pytest.fixture
def desk(index: PatientIndex) -> Desk:
    """Each answer is checked by its official schema where ../shared is at hand."""
    return Desk(index)
