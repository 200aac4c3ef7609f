"""``affinity conform assertions``: what a person and a program read of the catalogue."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from affinity.cli import app
from conformance.catalogue import catalogue


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["conform", "assertions", *arguments])


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_all_of_them_are_listed() -> None:
    assert [each["id"] for each in listed()] == [each.id for each in catalogue()]


def test_they_are_chosen_by_transaction_level_and_actor() -> None:
    found = listed("--transaction", "iti-42", "--level", "shall not", "--actor", "document registry")
    assert {(each["transaction"], each["level"], each["actor"]) for each in found} == {
        ("ITI-42", "SHALL NOT", "Document Registry")
    }


def test_a_transaction_is_listed_with_what_supplements_add_to_it() -> None:
    assert {each["document"] for each in listed("--transaction", "ITI-18")} == {
        "ITI TF-2",
        "ITI Suppl. XDS Metadata Update",
    }
    assert {each["transaction"] for each in listed("--transaction", "ITI-18-MU")} == {"ITI-18"}


def test_a_section_is_listed_with_all_below_it() -> None:
    sections = {each["section"] for each in listed("--section", "3.18.4.1.2.7", "--transaction", "ITI-18")}
    assert sections == {"3.18.4.1.2.7", "Table 3.18.4.1.2.7-1"}
    assert "3.18.4.1.2.3.7.14" not in {each["section"] for each in listed("--section", "3.18.4.1.2.3.7.1")}


def test_an_assertion_says_where_it_is_written_and_what_checks_it() -> None:
    (one,) = (each for each in listed("--transaction", "ITI-42") if each["rule"] == "snapshots_are_stable")
    assert one["document"] == "ITI TF-2" and one["section"] == "3.42.4.1.3.5" and one["test"] == "wire"


def test_a_person_reads_a_table() -> None:
    result = run("--transaction", "ITI-18", "--section", "3.18.4.1.2.4")
    assert result.exit_code == 0
    assert "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d" in result.stdout and "Document Registry" in result.stdout


def test_a_person_reads_what_the_text_leaves_open() -> None:
    shown = " ".join(run("--section", "3.18.4.1.2.3.7.14").stdout.split())
    assert "Option: Reference ID" in shown
    assert "Ambiguous: The introduction demands an exact match of values" in shown


def test_they_are_counted() -> None:
    result = run("--count", "--json")
    counted = json.loads(result.stdout)
    assert sum(sum(levels.values()) for levels in counted.values()) == len(catalogue())
    assert f" {len(catalogue())}" in run("--count").stdout


@pytest.mark.parametrize("arguments", [("--transaction", "ITI-999"), ("--level", "MUST"), ("--actor", "Nobody")])
def test_what_is_not_there_is_wrong_use(arguments: tuple[str, str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert arguments[1] in result.stderr and "there are" in result.stderr
