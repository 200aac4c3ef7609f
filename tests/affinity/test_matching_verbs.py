"""``affinity pix tune``, ``rematch`` and ``shadow`` on the records of an invented population, step by step."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from affinity.domain import SHIPPED
from affinity.matching_files import ACTIVE, SHADOW
from pix.matching.configuration import load as load_configuration

DEFAULT = Path("pix/matching/default.toml").read_text(encoding="utf-8")
STRICT = DEFAULT.replace("link = 26.0", "link = 90.0", 1).replace('version = "', 'version = "strict ', 1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A domain and the data directory of its node, whose records were loaded while matching was off."""
    place = tmp_path_factory.mktemp("site")
    shutil.copytree(SHIPPED / "demo", place / "domain")
    assert run("demo", "population", 300, "--out", place / "people.csv").exit_code == 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AFFINITY__MATCHING__MODE", "off")
        done = run("pix", "load", place / "people.csv", "--data", place / "data", "--domain", place / "domain")
    assert done.exit_code == 0, done.output
    return place


@pytest.fixture
def site(loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which one stands."""
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pix(verb: str, *arguments: object) -> Any:
    return told(run("pix", verb, *arguments, "--data", "data", "--domain", "domain", "--json"))


def test_a_dry_run_says_what_a_rematch_then_does(site: Path) -> None:
    foreseen, done = pix("rematch", "--dry-run"), pix("rematch")
    assert foreseen == done
    assert done["joined"] > 20 and done["parted"] == 0
    assert {(each["before"], each["after"]) for each in done["verdicts"]} == {("apart", "link"), ("apart", "review")}
    assert pix("rematch")["verdicts"] == []
    checked = run("db", "rebuild", "--check", "--data", "data", "--domain", "domain")
    assert checked.exit_code == 0, checked.output


def test_other_weights_are_tried_before_they_are_used(site: Path) -> None:
    pix("rematch")
    (site / "strict.toml").write_text(STRICT)
    foreseen = pix("rematch", "--dry-run", "--configuration", "strict.toml")
    assert foreseen["parted"] > 0 and foreseen["tasks"]["opened"]
    example = foreseen["examples"][0]
    assert (example["before"], example["comparison"]["outcome"]) == ("link", "review")
    refused = run("pix", "rematch", "--configuration", "strict.toml", "--data", "data", "--domain", "domain")
    assert refused.exit_code == 2 and "matching.toml" in refused.stderr


def test_weights_are_learnt_and_put_into_force(site: Path) -> None:
    proposed = pix("tune", "--pairs", 1000, "--all")
    assert proposed["all"]["joined"] > 20 and proposed["in_force"] is None
    assert load_configuration(site / "matching.proposed.toml").version == proposed["version"]
    assert not (site / "domain" / ACTIVE).exists()
    assert 0.01 < proposed["matches"] < 0.9
    again = pix("tune", "--pairs", 1000, "--apply")
    assert again["weights"] == proposed["weights"], "the same seed draws the same records"
    assert load_configuration(site / "domain" / ACTIVE).version == again["version"]
    shown = run("pix", "tune", "--pairs", 1000, "--data", "data", "--domain", "domain", "--output", "other.toml")
    assert "other.toml" in shown.stdout and "would be" in shown.stdout


def test_weights_that_cannot_be_written_are_told_and_leave_the_domain_as_it_is(site: Path) -> None:
    refused = run(
        "pix", "tune", "--pairs", 1000, "--apply", "--data", "data", "--domain", "domain", "--output", "/dev/full"
    )
    assert refused.exit_code == 2 and refused.stderr == "/dev/full: No space left on device\n"
    assert not (site / "domain" / ACTIVE).exists()


def test_a_site_with_too_few_records_learns_nothing(site: Path) -> None:
    (site / "one.csv").write_text("\n".join((site / "people.csv").read_text().splitlines()[:3]) + "\n")
    run("pix", "load", "one.csv", "--data", "small", "--domain", "domain")
    refused = run("pix", "tune", "--data", "small", "--domain", "domain")
    assert refused.exit_code == 1 and "an estimate needs at least 500" in refused.stderr


def test_a_trial_is_reported_and_cleared(site: Path) -> None:
    (site / "domain" / SHADOW).write_text(STRICT)
    pix("rematch")
    report = pix("shadow", "--examples", 2)
    (kind,) = report["differences"]
    assert (kind["outcome"], kind["tried"]) == ("link", "review") and len(report["examples"]) == 2
    shown = run("pix", "shadow", "--data", "data", "--domain", "domain")
    assert "would be" in shown.stdout and "family same" in shown.stdout
    assert pix("shadow", "--clear")["cleared"] == kind["pairs"]
    assert pix("shadow")["differences"] == []


def test_a_wrong_file_is_told_in_one_sentence(site: Path) -> None:
    (site / "domain" / ACTIVE).write_text("version = 1")
    refused = run("pix", "rematch", "--data", "data", "--domain", "domain")
    assert refused.exit_code == 2 and "matching.toml: version must be a text" in refused.stderr
