"""Leniency is named and switched on, never an accident."""

import os

import pytest

from affinity.client import xds
from ihe.identifiers import new_oid
from ihe.transactions import SOAPBinding
from soap.client import SOAPClient
from tests.end_to_end.conftest import RunningNode, Start
from xds.iti43 import ITI_43

REPOSITORY = "2.25.42973684164496191773403410219424492732.2"


def refusal(node: RunningNode) -> str | None:
    """What a retrieve says whose repositoryUniqueId begins with urn:oid:, as some systems send it."""
    (binding,) = ITI_43.bindings
    assert isinstance(binding, SOAPBinding)
    body = xds.retrieve([(f"urn:oid:{REPOSITORY}", new_oid())])
    answer = SOAPClient(url=node.url("/xds/repository")).call(binding, [body]).body
    return next(each.get("errorCode") for each in answer.iter() if each.get("errorCode"))


def test_a_prefix_that_the_standard_does_not_know_is_refused(start: Start) -> None:
    assert refusal(start("--domain", "connectathon")) == "XDSUnknownRepositoryId"


def test_a_lenient_node_takes_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AFFINITY__VALIDATION", "lenient")
    assert refusal(start("--domain", "connectathon")) == "XDSDocumentUniqueIdError"


def test_strangers_on_the_machine_cannot_look_into_the_data(start: Start) -> None:
    assert start("--domain", "connectathon").data.stat().st_mode & 0o077 == 0
