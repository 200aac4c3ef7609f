"""Revocation lists as files: read again when they change, asked at every use, refused when they are stale."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.xua.authority import Authority, make_authority, name
from tests.xua.stage import NOW, Stage
from xua.errors import AssertionRefused, Subcode
from xua.people import PEOPLE, DemoRole
from xua.revocation import RevocationList, Stale
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer
from xua.verifier import Verifier

NAME = PEOPLE[DemoRole.PATIENT].name_id
Follow = Callable[..., Stage]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "regional.crl"


@pytest.fixture
def follow(stage: Stage, authority: Authority, file: Path) -> Follow:
    """A node that pins a certificate of the authority and follows the authority's list."""
    signer = authority.issue(stage.key, name(o="Affinity development", cn="STS"))

    def begin(stale: Stale = Stale.REFUSE) -> Stage:
        crl = RevocationList(file, (authority.certificate,), stale)
        stage.trust.trust(TrustedIssuer(entity_id=stage.issuer, certificates=(signer,), crls=(crl,)))
        sts = DevelopmentSTS(stage.issuer, stage.key, signer)
        return Stage(sts, stage.trust, Verifier(stage.trust, [stage.audience]))

    return begin


def put(file: Path, crl: bytes) -> None:
    """As operators do: written beside, renamed."""
    draft = file.with_suffix(".new")
    draft.write_bytes(crl)
    draft.replace(file)


def refused(node: Stage, message: bytes, **circumstances: object) -> str:
    with pytest.raises(AssertionRefused) as caught:
        node.verify(message, **circumstances)
    assert caught.value.subcode is Subcode.INVALID_SECURITY_TOKEN
    return caught.value.reason


def test_a_revocation_takes_effect_at_the_next_use_without_a_restart(
    follow: Follow, authority: Authority, file: Path
) -> None:
    put(file, authority.revoke())
    node = follow()
    message = node.message(node.issue())
    assert node.verify(message).name_id == NAME
    put(file, authority.revoke(node.sts.certificate))
    assert "revoked" in refused(node, message)
    put(file, authority.revoke())
    assert node.verify(message).name_id == NAME


def test_pem_is_read_as_well(follow: Follow, authority: Authority, file: Path) -> None:
    put(file, authority.revoke())
    node = follow()
    crl = x509.load_der_x509_crl(authority.revoke(node.sts.certificate))
    put(file, b"\n" + crl.public_bytes(Encoding.PEM))
    assert "revoked" in refused(node, node.message(node.issue()))


@pytest.mark.parametrize(("stale", "accepted"), [(Stale.REFUSE, False), (Stale.ACCEPT, True)])
def test_a_list_out_of_date_is_judged_by_policy(
    follow: Follow, authority: Authority, file: Path, stale: Stale, accepted: bool
) -> None:
    put(file, authority.revoke(at=NOW - timedelta(days=9)))
    node = follow(stale)
    message = node.message(node.issue())
    if accepted:
        assert node.verify(message).name_id == NAME
    else:
        assert "out of date" in refused(node, message)


@pytest.mark.parametrize(("stale", "accepted"), [(Stale.REFUSE, False), (Stale.ACCEPT, True)])
@pytest.mark.parametrize("broken", [None, b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_list_that_cannot_be_read_any_more_is_judged_by_policy(
    follow: Follow, authority: Authority, file: Path, stale: Stale, accepted: bool, broken: bytes | None
) -> None:
    put(file, authority.revoke())
    node = follow(stale)
    if broken is None:
        file.unlink()
    else:
        put(file, broken)
    message = node.message(node.issue())
    if accepted:
        assert node.verify(message).name_id == NAME
    else:
        assert "cannot be read" in refused(node, message)


def test_a_list_of_somebody_else_does_not_replace_ours(follow: Follow, authority: Authority, file: Path) -> None:
    put(file, authority.revoke())
    node = follow()
    put(file, make_authority("Regional CA").revoke())  # the same name, another key
    assert "cannot be read" in refused(node, node.message(node.issue()))


def test_a_list_that_leaves_something_out_is_none(authority: Authority, file: Path) -> None:
    point = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=True,
        only_contains_attribute_certs=False,
    )
    for extension in (point, x509.DeltaCRLIndicator(1)):
        put(file, authority.revoke(extensions=[extension]))
        with pytest.raises(ValueError, match="critical extension"):
            RevocationList(file, (authority.certificate,))


def test_a_list_that_is_not_there_at_the_start_is_named(authority: Authority, file: Path) -> None:
    with pytest.raises(OSError, match=r"regional\.crl"):
        RevocationList(file, (authority.certificate,))


def test_a_certificate_of_which_no_list_speaks_is_refused(
    stage: Stage, authority: Authority, file: Path, follow: Follow
) -> None:
    """Lists are there, but of another authority: the operator meant to have revocation, and has none."""
    put(file, authority.revoke())
    crl = RevocationList(file, (authority.certificate,))
    stage.trust.trust(TrustedIssuer(entity_id=stage.issuer, certificates=(stage.sts.certificate,), crls=(crl,)))
    assert "no revocation list speaks" in refused(stage, stage.message(stage.issue()))


def test_a_change_within_the_clocks_grain_is_seen(follow: Follow, authority: Authority, file: Path) -> None:
    """A renamed file is another file, whatever its time says."""
    put(file, authority.revoke())
    stamp = file.stat()
    node = follow()
    put(file, authority.revoke(node.sts.certificate))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert "revoked" in refused(node, node.message(node.issue()))
