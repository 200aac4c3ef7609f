"""What finds a record is made by migrations as a feed of today makes it, for records of any version before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text

from affinity.migrations import config
from pix.model import Address, Demographics, PersonName
from pix.pairs import woven
from pix.snapshot import to_json, written
from pix.tokens import Kind, Token, tokens
from pix.wordlists import wordlist

KEY = 7
PERSON = Demographics(
    names=(PersonName(family="Muster-Probst", given="Anne"),), birth_time="19800515", addresses=(Address(city="Esch"),)
)
RECORD = text(
    'INSERT INTO pix_record ("key", authority, id, type_code, announced, source, updated, demographics, family, given) '
    "VALUES (:key, '1.2', 'A', '', true, 's|s', '', :demographics, '', '')"
)

Older = Callable[[str], Engine]


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Older:
    """Makes a database of a version before, with one record that nothing finds."""

    def make(revision: str) -> Engine:
        on_sqlite = request.param == "sqlite"
        made = create_engine(
            f"sqlite:///{tmp_path / 'old.db'}" if on_sqlite else request.getfixturevalue("empty_postgresql")
        )
        request.addfinalizer(made.dispose)
        command.upgrade(config(made), revision)
        with made.begin() as connection:
            connection.execute(RECORD, {"key": KEY, "demographics": to_json(PERSON)})
        return made

    return make


def stored(engine: Engine) -> set[Token]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT kind, value, beside, birth FROM pix_token WHERE record = :key"), {"key": KEY}
        )
        return {(kind, value, beside, birth) for kind, value, beside, birth in rows}


def test_a_record_from_before_words_beside_names_has_every_word(older: Older) -> None:
    engine = older("0005")
    command.upgrade(config(engine), "head")
    assert stored(engine) == tokens(PERSON)


def test_a_record_from_before_pairs_of_names_has_its_pairs(older: Older) -> None:
    engine = older("0008")
    command.upgrade(config(engine), "head")
    pairs = {each for each in tokens(PERSON) if each[0] == Kind.PAIR}
    assert pairs and stored(engine) == pairs


def test_pairs_of_names_from_before_their_letters_took_turns(older: Older) -> None:
    engine = older("0027")
    pairs = [("muster anne", "", "19800515"), ("li x", " @esch ", ""), ("", "", "1980")]
    insert = text(
        "INSERT INTO pix_token (kind, value, record, beside, birth) VALUES ('pair', :value, 7, :beside, :birth)"
    )
    with engine.begin() as connection:
        connection.execute(insert, [dict(zip(("value", "beside", "birth"), each, strict=True)) for each in pairs])
    command.upgrade(config(engine), "head")
    respelled = {(woven("muster", "anne"), "", "19800515"), (woven("li", "x"), " @esch ", ""), ("", "", "1980")}
    assert stored(engine) == {("pair", *each) for each in respelled}
    command.downgrade(config(engine), "0027")
    assert stored(engine) == {("pair", *each) for each in pairs}


def test_records_that_are_somebodys_have_a_card(older: Older) -> None:
    engine = older("0026")
    link = text(
        "INSERT INTO pix_link (number, record, person, reason, event, ended_by) VALUES (:n, 7, :n, 'alone', :n, :ended)"
    )
    with engine.begin() as connection:
        connection.execute(link, [{"n": 1, "ended": 2}, {"n": 2, "ended": None}])
    command.upgrade(config(engine), "head")
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(text("SELECT record, person, updated FROM pix_card"))] == [
            (7, 2, "")
        ]


def test_words_of_records_are_listed_and_those_that_only_narrow_are_no_tokens(older: Older) -> None:
    engine = older("0028")
    words = [
        ("street", "rue"),
        ("street", "12"),
        ("country", "lu"),
        ("state", 'a "b\\'),
        ("mothers-given", "é"),
        ("pair", woven("a", "b")),
    ]
    before = {(kind, word, "", "1980" if kind == "pair" else "") for kind, word in words}
    insert = text("INSERT INTO pix_token (kind, value, record, beside, birth) VALUES (:kind, :value, 7, '', :birth)")
    names = ("kind", "value", "beside", "birth")
    with engine.begin() as connection:
        connection.execute(insert, [dict(zip(names, each, strict=True)) for each in before])
    command.upgrade(config(engine), "0029")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT record, words FROM pix_wordlist")).all() == [
            (
                7,
                '{"country":["lu"],"mothers-given":["é"],"pair":["ab  "],"state":["a \\"b\\\\"],"street":["12","rue"]}',
            )
        ]
    assert stored(engine) == {each for each in before if each[0] in ("street", "pair")}
    command.downgrade(config(engine), "0028")
    assert stored(engine) == before


def test_words_of_lists_stand_behind_their_kinds(older: Older) -> None:
    engine = older("0029")
    odd = ["", 'a"b\\c,"d', "line\nbreak\x1f\x7f", "name:of|1.2", "\uffee", "\U0001f600"]
    before = {"account": odd, "family": ["é"], "family-sound": ["S"], "pair": ["ab  "]}
    insert = text("INSERT INTO pix_wordlist (record, words) VALUES (7, :words), (8, :one)")
    lists = {"words": written(before), "one": written({"state": ["sud"]})}
    with engine.begin() as connection:
        connection.execute(insert, lists)
    command.upgrade(config(engine), "head")
    after = ["", *(f"account:{each}" for each in odd), "family-sound:S", "family:é", "pair:ab  "]
    assert listed(engine) == [written(after), written(["", "state:sud"])]
    command.downgrade(config(engine), "0029")
    assert listed(engine) == list(lists.values())


def listed(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT words FROM pix_wordlist ORDER BY record")).scalars())


def test_a_migrated_word_list_is_what_a_feed_writes(older: Older) -> None:
    engine = older("0005")
    command.upgrade(config(engine), "head")
    assert listed(engine) == [wordlist(PERSON)]
