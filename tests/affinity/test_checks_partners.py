"""What the doctor says of partners and of revocation lists."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from affinity.authority import Authority
from affinity.cli.checks_partners import lists, partners
from affinity.cli.finding import State
from affinity.partners import Agreement, Fingerprint
from ihe.partners import Partner, Quirk

TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def agreement(until: date | None = None, *, certificate: bool = True) -> Agreement:
    quirks = {Quirk.OID_PREFIX: until} if until else {}
    pins = frozenset({Fingerprint("ab" * 32)}) if certificate else frozenset()
    return Agreement(partner=Partner(name="lis", quirks=quirks), fingerprints=pins)


@pytest.mark.parametrize(
    ("given", "states", "said"),
    [
        ((), [State.SKIPPED], "names none"),
        ((agreement(),), [State.OK], "lis"),
        ((agreement(certificate=False),), [State.OK, State.WARNING], "no certificate"),
        ((agreement(TODAY + timedelta(days=60)),), [State.OK], "lis"),
        ((agreement(TODAY),), [State.OK, State.WARNING], "oid-prefix ends on 2026-11-26"),
        ((agreement(TODAY - timedelta(days=1)),), [State.OK, State.FAILED], "oid-prefix has ended on 2026-11-25"),
    ],
)
def test_partners(given: tuple[Agreement, ...], states: list[State], said: str) -> None:
    found = list(partners(given, TODAY))
    assert [each.state for each in found] == states
    assert said in found[-1].detail


@pytest.mark.parametrize(("days", "state"), [(0, State.OK), (29, State.WARNING), (31, State.FAILED)])
def test_revocation_lists(tmp_path: Path, days: int, state: State) -> None:
    file = Authority(tmp_path, NOW).revoke(())
    (found,) = lists((file,), NOW + timedelta(days=days))
    assert found.state is state


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("-----BEGIN X509 CRL-----\n")
    assert [each.state for each in lists((tmp_path / "broken", tmp_path / "none"), NOW)] == [State.FAILED] * 2
