"""A Document Registry believes who asks by a signed assertion, and by nothing else [ITI-40] (ITI TF-2: 3.40.4.1.3)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml.etree import _Element

from affinity.pki import development_pki
from conformance.counterparts.documents import DocumentActors
from conformance.counterparts.metadata import Inventor, submission
from conformance.covering import Covering, Suite, covers
from conformance.expectations import faulted, has_nothing, succeeded
from conformance.harness import Harness
from ihe.datatypes import CX
from ihe.transactions import Actor
from xua.envelope import security_header
from xua.names import clark
from xua.sts import Defect, open_sts

SUITE = Suite(actor=Actor.DOCUMENT_REGISTRY, profile="XUA", option="XUA")
CODES = (
    "FailedAuthentication",
    "FailedCheck",
    "InvalidSecurity",
    "InvalidSecurityToken",
    "MessageExpired",
    "SecurityTokenUnavailable",
    "UnsupportedSecurityToken",
)
"""Error codes of WS-Security 1.1, section 12, and of SAML Token Profile 1.1, section 3.6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untrue:
    """A way in which an assertion is none."""

    id: str
    sentence: str
    covering: Covering
    header: Callable[[Harness, Path], bytes]


def _good(harness: Harness) -> _Element:
    return harness.assertion()


def _none(_harness: Harness, _folder: Path) -> bytes:
    return b""


def _changed(harness: Harness, _folder: Path) -> bytes:
    """The person's name is another one than was signed."""
    assertion = _good(harness)
    name = next(assertion.iter(clark("saml:NameID")))
    name.text = f"{name.text}-changed"
    return security_header(assertion)


def _unsigned(harness: Harness, _folder: Path) -> bytes:
    assertion = _good(harness)
    for signature in list(assertion.iter(clark("ds:Signature"))):
        signature.getparent().remove(signature)  # type: ignore[union-attr]
    return security_header(assertion)


def _of_a_stranger(harness: Harness, folder: Path) -> bytes:
    """The right issuer's name, another one's key."""
    tokens = harness.system.tokens
    assert tokens is not None
    pki = development_pki(folder / "stranger")
    issuer = (_good(harness).findtext(clark("saml:Issuer")) or "").strip()
    stranger = open_sts(issuer, pki.sts.key.read_bytes(), pki.sts.certificate.read_bytes())
    return security_header(stranger.issue(tokens.role, datetime.now(UTC), tokens.audience))


def _twice(harness: Harness, _folder: Path) -> bytes:
    """A changed assertion before the one that was signed."""
    signed = _good(harness)
    changed = deepcopy(signed)
    changed.set("ID", "_another")
    header = security_header(signed)
    place = header.index(b">", header.index(b"Security")) + 1
    inner = security_header(changed)
    start, end = inner.index(b"<", inner.index(b">") + 1), inner.rindex(b"</")
    return header[:place] + inner[start:end] + header[place:]


def _with(defect: Defect) -> Callable[[Harness, Path], bytes]:
    def header(harness: Harness, _folder: Path) -> bytes:
        return security_header(harness.assertion(defect))

    return header


UNTRUE = (
    Untrue(id="none", sentence="No assertion.", covering=Covering(("ITI-40-061",)), header=_none),
    Untrue(
        id="changed", sentence="An assertion that was changed.", covering=Covering(("ITI-40-063",)), header=_changed
    ),
    Untrue(
        id="unsigned", sentence="An assertion without signature.", covering=Covering(("ITI-40-084",)), header=_unsigned
    ),
    Untrue(
        id="stranger",
        sentence="An assertion that a stranger signed.",
        covering=Covering(("ITI-40-062", "ITI-40-064")),
        header=_of_a_stranger,
    ),
    Untrue(
        id="twice",
        sentence="A second assertion before the signed one.",
        covering=Covering(("ITI-40-085",)),
        header=_twice,
    ),
)
MADE = (
    Untrue(
        id="expired",
        sentence="An assertion that is over.",
        covering=Covering(("ITI-40-015",)),
        header=_with(Defect.EXPIRED),
    ),
    Untrue(
        id="early",
        sentence="An assertion that is not valid yet.",
        covering=Covering(("ITI-40-014",)),
        header=_with(Defect.NOT_YET_VALID),
    ),
    Untrue(
        id="audience",
        sentence="An assertion for another service.",
        covering=Covering(("ITI-40-019",)),
        header=_with(Defect.WRONG_AUDIENCE),
    ),
    Untrue(
        id="wrapped",
        sentence="A signed assertion inside a forged one.",
        covering=Covering(("ITI-40-085",)),
        header=_with(Defect.WRAPPED),
    ),
)
"""What only an issuer can make: asked of an STS that does so on demand."""


@covers("ITI-40-066", "ITI-40-067")
@pytest.mark.parametrize("case", [*UNTRUE, *MADE], ids=lambda case: case.id)
def test_it_is_not_believed(case: Untrue, harness: Harness, invent: Inventor, patient: CX, folder: Path) -> None:
    if harness.system.tokens is None:
        pytest.skip("[tokens] of the declaration says nowhere to get an assertion")
    if case in MADE and not harness.system.tokens.defects:
        pytest.skip("the STS makes no wrong assertions (tokens.defects)")
    header = case.header(harness, folder)
    actors = _asking_with(harness.documents, header)
    faulted(actors.register(submission(invent.submission_set(patient), invent.entry(patient))), *CODES)
    has_nothing(harness.documents, patient)


@covers("ITI-40-010")
def test_a_good_one_is_believed(harness: Harness, invent: Inventor, patient: CX) -> None:
    """A signed assertion of a bearer is believed."""
    succeeded(harness.documents.register(submission(invent.submission_set(patient), invent.entry(patient))))


def _asking_with(actors: DocumentActors, header: bytes) -> DocumentActors:
    return replace(actors, caller=replace(actors.caller, security=lambda _url: header))
