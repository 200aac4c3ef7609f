"""Two names woven into one word: whom two patterns fit, the range of the index holds."""

import re
from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from pix.pairs import sought, woven

NAMES = st.text("abß%_\\", min_size=1, max_size=5)
PATTERNS = st.builds(str.__add__, NAMES, st.sampled_from(["", "*"]))


@given(one=st.tuples(NAMES, NAMES), other=st.tuples(NAMES, NAMES))
def test_a_word_stands_for_two_names_and_no_others(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (woven(*one) == woven(*other)) is (one == other)


@given(names=st.tuples(NAMES, NAMES), patterns=st.tuples(PATTERNS, PATTERNS))
def test_whom_two_patterns_fit_is_found_by_one(names: tuple[str, str], patterns: tuple[str, str]) -> None:
    beginning, like = sought(*patterns)
    word = woven(*names)
    found = word.startswith(beginning) and (not like or _is_like(word, like))
    assert found is all(map(fnmatchcase, names, patterns))
    if not any(each.endswith("*") for each in patterns):
        assert found is (word == beginning)


def _is_like(text: str, pattern: str) -> bool:
    """SQL's LIKE with a backslash before what stands for itself."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meaning = {"%": ".*", "_": "."}
    return re.fullmatch("".join(meaning.get(each, re.escape(each[-1])) for each in parts), text, re.DOTALL) is not None
