"""The assertion catalogue: its form, its faults, and that its data has none."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.catalogue import Assertion, CatalogueFault, Level, Role, Shown, catalogue, read
from conformance.catalogue_lint import faults, faults_in_text, rules
from conformance.counts import PAGE, renewed
from conformance.specification import BESIDE, Specification
from ihe.citations import supplement, tf2, tf3
from ihe.transactions import Actor

GOOD = Assertion(
    id="ITI-42-001",
    level=Level.SHALL,
    actor=Actor.DOCUMENT_REGISTRY,
    citation=tf2("3.42.4.1.3.5"),
    revision="19.0",
    text="A relationship that starts at a registered entry is refused.",
    test=Shown.WIRE,
    transaction="ITI-42",
    rule="relationships_start_at_new_entries",
)
READ = (
    {f"ITI-{number}" for number in (18, 41, 42, 43, 51, 57, 61, 62, 86)}
    | {f"ITI-{number}" for number in (8, 9, 10, 19, 20, 21, 22, 30, 31, 40, 44, 45, 46, 47, 64)}
    | {f"TF2-{letter}" for letter in "CEMNORV"}
    | {"ITI-18-MU"}
    | {f"TF3-4.{number}" for number in (1, 2, 3)}
)
"""The transactions and chapters of which the catalogue holds every claim."""
FILE = """
transaction = "ITI-42"
volume = "ITI TF-2"
revision = "19.0"

[[assertion]]
id = "ITI-42-001"
level = "SHALL"
actor = "Document Registry"
section = "3.42.4.1.3.5"
text = "A relationship that starts at a registered entry is refused."
test = "wire"
rule = "relationships_start_at_new_entries"
"""


def told(*assertions: Assertion, known: Collection[str] = ("relationships_start_at_new_entries",)) -> list[str]:
    return list(faults(assertions, known))


def test_the_catalogue_has_no_fault() -> None:
    assert list(faults(catalogue(), rules())) == []


def test_sections_are_there_and_no_wording_is_copied() -> None:
    if not BESIDE.is_dir():
        pytest.skip("the text of the Technical Framework (../shared/spec) is not beside this checkout")
    assert list(faults_in_text(catalogue(), Specification())) == []


def test_what_has_been_read_stays_read() -> None:
    assert {each.group for each in catalogue()} >= READ


def test_the_page_counts_what_the_catalogue_holds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page, catalogue()) == page, "python -m conformance.counts renews it"


def test_a_file_becomes_values(tmp_path: Path) -> None:
    file = tmp_path / "iti-42.toml"
    file.write_text(FILE)
    assert list(read(file)) == [GOOD]
    assert GOOD.group == "ITI-42"


def test_a_supplement_is_cited_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "iti-62.toml"
    file.write_text(FILE.replace("ITI-42", "ITI-62").replace("ITI TF-2", "RMD"))
    (assertion,) = read(file)
    assert assertion.citation == supplement("RMD", "3.42.4.1.3.5")


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ('level = "SHALL"', 'level = "MUST"', "level"),
        ('actor = "Document Registry"', 'actor = "Registry"', "actor"),
        ('id = "ITI-42-001"', 'id = "ITI-42-1"', "id"),
        ('text = "A relationship that starts at a registered entry is refused."', 'text = "No."', "text"),
        ('test = "wire"', 'test = "review"', "why"),
        ('test = "wire"', 'test = "wire"\nwhy = "nobody sees it"', "why"),
        ('test = "wire"', 'test = "wire"\nreason = "?"', "reason"),
        ("[[assertion]]", "[[assertion", "iti-42.toml"),
    ],
)
def test_a_file_that_is_not_in_form_is_refused_by_name(
    tmp_path: Path, written: str, instead: str, complaint: str
) -> None:
    file = tmp_path / "iti-42.toml"
    file.write_text(FILE.replace(written, instead))
    with pytest.raises(CatalogueFault, match=complaint) as caught:
        list(read(file))
    assert str(caught.value).startswith("iti-42.toml: ")


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in ("8", "18-MU", "18", "9"):
        (tmp_path / f"iti-{number.lower()}.toml").write_text(FILE.replace("ITI-42-", f"ITI-{number}-"))
    (tmp_path / "tf3-4.1.toml").write_text(FILE.replace('transaction = "ITI-42"', "").replace("ITI-42", "TF3-4.1"))
    assert [each.group for each in catalogue(tmp_path)] == ["ITI-8", "ITI-9", "ITI-18", "ITI-18-MU", "TF3-4.1"]


def test_a_supplement_to_a_transaction_has_ids_of_its_own() -> None:
    added = replace(GOOD, id="ITI-42-MU-001")
    assert added.group == "ITI-42-MU"
    assert told(GOOD, added) == []


def test_one_good_assertion_has_no_fault() -> None:
    assert told(GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (replace(GOOD, text="Other words about it."), "is there 2 times"),
        (replace(GOOD, id="ITI-42-002"), "same words"),
        (replace(GOOD, id="ITI-42-002", text="Without an end"), "no sentence"),
        (replace(GOOD, id="ITI-41-002", text="Other words about it."), "stands among"),
        (replace(GOOD, id="ITI-42-002", text="Other words about it.", rule="nobody_wrote_this"), "no transaction has"),
        (replace(GOOD, id="ITI-42-000", text="Other words about it."), "comes after ITI-42-001"),
    ],
)
def test_a_fault_is_named(wrong: Assertion, complaint: str) -> None:
    assert any(complaint in each for each in told(GOOD, wrong))


@pytest.fixture
def beside(tmp_path: Path) -> Specification:
    (tmp_path / "vol2").mkdir()
    (tmp_path / "vol2/ITI-42.md").write_text(
        "# 3.42 Register\n\n##### 3.42.4.1.3.5 Document *Relationships*\n\n**Table 3.42.2-1: Roles**\n\n"
        "The registry shall verify\nthat <both> objects exist.\n\n# Appendix V: Web Services\n\n## V.3.1 Bindings\n"
    )
    (tmp_path / "supplements").mkdir()
    (tmp_path / "supplements/XDS_Metadata_Update_ITI-57.md").write_text(
        "## **3.57.4 Messages**\n\n**3.57.4.1.3.1.1 Rules for Update Planning**\n\n"
        "3.57.4.2 Response  3.57.4.2.1 Trigger Events  An event.\n"
    )
    return Specification(tmp_path)


@pytest.mark.parametrize(
    "citation",
    [
        tf2("3.42.4.1.3.5"),
        tf2("Table 3.42.2-1"),
        tf2("V"),
        tf2("V.3.1"),
        supplement("XDS Metadata Update", "3.57.4"),
        supplement("XDS Metadata Update", "3.57.4 rule 2"),
        supplement("XDS Metadata Update", "3.57.4.1.3.1.1"),
        supplement("XDS Metadata Update", "3.57.4.2"),
        supplement("XDS Metadata Update", "3.57.4.2.1"),
    ],
    ids=str,
)
def test_a_section_is_found(beside: Specification, citation: object) -> None:
    assert list(faults_in_text([replace(GOOD, citation=citation)], beside)) == []


@pytest.mark.parametrize("section", ["3.42.4.1.3", "3.42.4.1.3.55", "Table 3.42.2", "Table 3.42.2-11", "V.3", "?"])
def test_a_section_that_is_not_there_is_named(beside: Specification, section: str) -> None:
    assert list(faults_in_text([replace(GOOD, citation=tf2(section))], beside)) == [
        f"ITI-42-001: ITI TF-2: {section} is not there"
    ]


def test_a_volume_that_is_not_there_is_named(beside: Specification) -> None:
    (complaint,) = faults_in_text([replace(GOOD, citation=tf3("4.1"))], beside)
    assert complaint == "ITI-42-001: ITI TF-3 is not beside the project"


def test_a_sentence_of_the_text_is_no_wording_of_ours(beside: Specification) -> None:
    copied = replace(GOOD, text="The registry SHALL verify that both objects exist.", actor=Role.ANY)
    assert list(faults_in_text([copied], beside)) == ["ITI-42-001: copies ITI TF-2: 3.42.4.1.3.5"]


@pytest.mark.parametrize("name", ["urn:ihe:iti:2007:Nothing", "$Nobody", "XDSNobodyErs", "NobodyException"])
def test_a_name_that_the_text_does_not_spell_is_named(beside: Specification, name: str) -> None:
    misspelled = replace(GOOD, text=f"It is called {name}.")
    assert list(faults_in_text([misspelled], beside)) == [f"ITI-42-001: {name} stands nowhere in the text"]
    assert list(faults_in_text([replace(misspelled, ambiguous="The text has a slip.")], beside)) == []
