"""A large index made of a smaller one: each person again and again with other ids, telephones and birth dates.

Names stay, so that a name is borne by as many as in a population of that size, and a stranger meets as many candidates;
rare names are less rare than they would be. Blocking keys stay as well, although birth dates do not. The log says of
variants what it says of the first.
"""

import json
import shutil
from datetime import date, timedelta
from functools import lru_cache, partial
from pathlib import Path

from sqlalchemy import Table

from benchmarks.bulk import FILE, PER_RECORD, strangers_of
from benchmarks.filling import fill
from pix.tokens import Kind
from pix.wordlists import before_words

PHONE = before_words(Kind.PHONE)
APART = timedelta(days=977)
"""How much later the next variant of somebody was born."""
SHIFTED = {
    "pix_record": {
        "key": "key + v * {most}",
        "id": "iif(v, v || '-' || id, id)",
        "birth": "born(birth, v)",
        "demographics": "iif(birth IS NULL, demographics, replace(demographics, birth, born(birth, v)))",
    },
    "pix_national": {"record": "record + v * {most}", "id": "iif(v, v || '-' || id, id)"},
    "pix_token": {
        "record": "record + v * {most}",
        "birth": "born(birth, v)",
        "value": "iif(v AND kind = 'phone', value || v, value)",
    },
    "pix_wordlist": {"record": "record + v * {most}", "words": "found_by(words, v)"},
    "pix_blocking": {"record": "record + v * {most}"},
    "pix_link": {
        "number": "number + v * {most} * {events}",
        "record": "record + v * {most}",
        "person": "person + v * {most}",
        "event": "event + v * {most} * {events}",
    },
    "pix_card": {"record": "record + v * {most}", "person": "person + v * {most}", "birth": "born(birth, v)"},
    "pix_event": {"number": "number + v * {most} * {events}", "record": "record + v * {most}"},
}
"""What the columns of variant number ``v`` are made of; the others are those of the first."""


def multiply(data: Path, times: int, records: int) -> Path:
    """Make a data directory with ``times`` as many people as are in this one, which has ``records`` records."""
    made = data.with_name(f"{data.name}-times-{times}")
    if (made / FILE).exists():
        return made
    made.mkdir(exist_ok=True)
    fill(made / FILE, (data / FILE,), partial(_variants, times=times, most=records), FUNCTIONS)
    shutil.copy(strangers_of(data), strangers_of(made))
    return made


def _variants(table: Table, times: int, most: int) -> str:
    shifted = SHIFTED[table.name]
    texts = [
        f'{shifted[each.name].format(most=most, events=PER_RECORD)} AS "{each.name}"'
        if each.name in shifted
        else f'"{each.name}"'
        for each in table.columns
    ]
    numbers = " UNION ALL ".join(f"SELECT {number} AS v" for number in range(times))
    return f"SELECT {', '.join(texts)} FROM s0.{table.name} CROSS JOIN ({numbers})"


@lru_cache(maxsize=2**20)
def born(birth: str | None, variant: int) -> str | None:
    """The birth date of a variant; where only the year or nothing is known, it stays."""
    if not birth or len(birth) < 8 or not variant:
        return birth
    day = date(int(birth[:4]), int(birth[4:6]), int(birth[6:8])) + variant * APART
    # Nobody is born after the others: the century before has room.
    return (day if day.year < 2026 else day.replace(year=day.year - 100, day=min(day.day, 28))).strftime("%Y%m%d")


def found_by(words: str, variant: int) -> str:
    """The word list of a variant, whose telephones are others."""
    phones = [each for each in json.loads(words) if each.startswith(PHONE)]
    if not phones or not variant:
        return words
    others = (f"{each}{variant}" if each in phones else each for each in json.loads(words))
    return json.dumps(sorted(others), ensure_ascii=False, separators=(",", ":"))


FUNCTIONS = (("born", 2, born), ("found_by", 2, found_by))
"""What SHIFTED asks for."""
