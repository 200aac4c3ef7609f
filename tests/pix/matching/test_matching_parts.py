"""The parts of matching: sounds, dates, words, addresses, and the file of weights."""

from pathlib import Path

import pytest

from pix.matching import contacts, dates, placeholders, short_forms
from pix.matching.blocking import lookup_keys
from pix.matching.configuration import LEVELS, default, load, parse
from pix.matching.contacts import Place
from pix.matching.dates import Birth
from pix.matching.names import given_words, surname
from pix.matching.phonetics import skeleton, sound
from pix.matching.scoring import Outcome, compare_fully
from pix.matching.scripts import latin
from pix.matching.subject import subject
from pix.matching.words import Likeness, family_likeness, given_likeness
from pix.model import Address, Demographics, PersonName, Telecom

TEXT = (Path(__file__).parents[3] / "pix" / "matching" / "default.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("meyer", "maier"),
        ("schmit", "schmidt"),
        ("heintz", "heinz"),
        ("yuri", "iouri"),
        ("sousa", "souza"),
        ("filipe", "philipp"),
    ],
)
def test_what_sounds_alike_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_vowels_are_heard() -> None:
    assert sound("lena") != sound("lina")


@pytest.mark.parametrize(
    ("text", "expected"), [("Иванов", "ivanov"), ("Γιώργος", "giorgos"), ("Σούσα", "sousa"), ("Weiß", "weiß")]
)
def test_other_letters_become_latin(text: str, expected: str) -> None:
    assert latin(text) == expected


@pytest.mark.parametrize(
    ("text", "words", "joined"),
    [
        ("van den Berg", {"berg"}, "vandenberg"),
        ("Silva e Sousa", {"silva", "sousa"}, "silvaesousa"),
        ("Weber-Thill", {"weber", "thill"}, "weberthill"),
        ("Le", {"le"}, "le"),
    ],
)
def test_a_family_name_has_words_and_a_joined_form(text: str, words: set[str], joined: str) -> None:
    assert surname(text) == (frozenset(words), joined)


def test_no_letters_are_no_name() -> None:
    assert surname(" - ") is None
    assert given_words("-", "") == ()


@pytest.mark.parametrize(
    "given", ["Bébé", "Jumeau A", "Baby of Maria", "NN", "ZWILLING 2", "Testpatient", "Nouveau-né"]
)
def test_a_placeholder_is_no_given_name(given: str) -> None:
    assert given_words(given, "") == ()


def test_a_name_that_begins_like_a_placeholder_is_a_name() -> None:
    assert not placeholders.is_placeholder(("babette",))
    assert not placeholders.is_placeholder(())


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("jang", "jean", Likeness.FORM),
        ("ze", "jose", Likeness.FORM),
        ("paul", "paula", Likeness.DOUBTFUL),
        ("tim", "tom", Likeness.DOUBTFUL),
        ("luc", "pierre", Likeness.NONE),
        ("bernadette", "berndaette", Likeness.CLOSE),
        ("xhevahir", "xhevahire", Likeness.DOUBTFUL),
    ],
)
def test_two_given_names(one: str, other: str, likeness: Likeness) -> None:
    assert given_likeness(one, other) is likeness


def test_two_family_names() -> None:
    assert (
        family_likeness("oberweis", "obrewies") is Likeness.CLOSE
        or family_likeness("oberweis", "oberwies") is Likeness.CLOSE
    )
    assert family_likeness("maier", "meyer") is Likeness.SOUND
    assert family_likeness("li", "lu") is Likeness.NONE


def test_no_twin_names_are_forms_of_one_name() -> None:
    twins = "paul paula jean jeanne simon simone michel michele daniel daniela tiago diogo anna hanna andreas andrea"
    found = twins.split()
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert not short_forms.groups(one) & short_forms.groups(other), one


@pytest.mark.parametrize(
    ("one", "other", "agreement"),
    [
        ("19800312", "19800312", Birth.SAME),
        ("19800101", "19800101", Birth.NEW_YEAR),
        ("19800312", "19801203", Birth.SWAPPED),
        ("19800312", "19800313", Birth.TYPO),
        ("19800312", "19080312", Birth.GENERATION),
        ("19080312", "20080312", Birth.TYPO),
        ("19500304", "19800304", Birth.GENERATION),
        ("1980", "19800312", Birth.PARTIAL),
        ("198003", "19800312", Birth.PARTIAL),
        ("19800101", "19800312", Birth.PARTIAL),
        ("1981", "19800312", Birth.DIFFERENT),
        ("19800312", "19530220", Birth.DIFFERENT),
        ("", "19800312", None),
    ],
)
def test_two_birth_dates(one: str, other: str, agreement: Birth | None) -> None:
    assert dates.compare(one, other) is agreement
    assert dates.compare(other, one) is agreement


@pytest.mark.parametrize(
    ("birth_time", "known"),
    [
        ("19800312153000", "19800312"),
        ("19800300", "198003"),
        ("19800000", "1980"),
        ("19800231", ""),
        ("nonsense", ""),
        ("１９８０", ""),
        (None, ""),
    ],
)
def test_a_birth_time_is_a_day_as_far_as_it_is_one(birth_time: str | None, known: str) -> None:
    assert dates.day(birth_time) == known


def test_a_street_is_compared_without_its_kind() -> None:
    expected = Place("1611", "luxembourg", "gare", "12")
    for street in ("12, rue de la Gare", "Rue de la gare 12", "R. de la Gare, 12"):
        assert contacts.place(Address(street=street, postal_code="L-1611", city="Luxembourg")) == expected
    assert contacts.place(Address()) is None


@pytest.mark.parametrize(
    "number", ["+352 621 123 456", "00352621123456", "621123456", "(+352) 621 / 12 34 56", "352621123456"]
)
def test_a_number_has_no_country_code(number: str) -> None:
    assert contacts.phone(Telecom(number=number)) == "621123456"


@pytest.mark.parametrize("number", ["", "000000000", "12345", "999999999"])
def test_a_number_that_is_none(number: str) -> None:
    assert contacts.phone(Telecom(number=number)) == ""


def test_the_shipped_weights_make_sense() -> None:
    configuration = default()
    assert configuration.review < configuration.link
    for field in LEVELS:
        if field != "given":
            weights = [configuration.evidence[field, level].bits for level in LEVELS[field]]
            assert weights[0] == max(weights) and min(weights) < 0, field


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("link = 26.0", "link = 12.0", "review must be at most link"),
        ("link = 26.0", "link = true", "link must be a number of bits"),
        ("link = 26.0", "limk = 26.0", "limk is no key of this file"),
        ('version = "2026-11-27.2"', "version = 3", "version must be a text, and not empty"),
        ("kinship = 8.0", "kinship = 18.0", "caps.kinship must be below review, or every family makes a task"),
        ("household = 10.0", "hausehold = 10.0", "caps.hausehold is no key of this file"),
        ("same = { m = 0.985, u = 0.5 }", "same = { m = 0.985 }", "levels.sex.same must be { m = ..., u = ... }"),
        (
            "same = { m = 0.985, u = 0.5 }",
            "same = { m = 0.985, u = 0 }",
            "levels.sex.same must be { m = ..., u = ... }",
        ),
        ("same = { m = 0.985, u = 0.5 }", "same = { m = 0.1, u = 0.5 }", "levels.sex.same: m must be at least u"),
        (
            "different = { m = 0.015, u = 0.5 }",
            "different = { m = 0.6, u = 0.5 }",
            "levels.sex.different: m must be at most u",
        ),
        ("different = { m = 0.015, u = 0.5 }", "diferent = { m = 0.015, u = 0.5 }", "levels.sex.diferent is no level"),
        ("[levels.sex]", "[levels.gender]", "levels.gender is no field"),
        ("schmit = 0.0035", "schmit = 2", "frequencies.family.schmit must be a share above 0 and at most 1"),
        ("[frequencies.city]", "[frequencies.street]", "frequencies.street is no field with frequencies"),
        ("[caps]", "[caps", "Expected ']'"),
    ],
)
def test_a_broken_file_is_refused_with_the_key_and_the_rule(old: str, new: str, error: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=r"^site\.toml: ") as caught:
        parse(TEXT.replace(old, new, 1), "site.toml")
    assert error in str(caught.value)


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(TEXT.replace("link = 26.0", "link = 30.0"), encoding="utf-8")
    assert load(path).link == 30.0


def test_a_hostile_record_is_compared_in_bounded_time() -> None:
    words = " ".join(f"a{''.join(chr(97 + int(digit)) for digit in str(number))}" for number in range(3000))
    shifted = " ".join(f"b{each}" for each in words.split())
    one, other = (
        subject(
            Demographics(
                names=tuple(PersonName(family=f"{text} {each}", given=text) for each in "xyz" * 40),
                addresses=tuple(Address(street=f"{text[:200]} {each}") for each in range(200)),
            )
        )
        for text in (words, shifted)
    )
    assert len(one.family_words) <= 12 * 6 and len(one.givens) <= 6 and len(one.places) <= 8
    assert compare_fully(one, other, default()).outcome is Outcome.APART
    assert len(lookup_keys(one)) <= 64
