"""Real values that stand where nobody expects them: in an error text, a title, an address; found by what they are."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from conformance.capture.pseudonyms import Kind

SHORTEST = 3
SHORTEST_NUMBER = 4
"""Shorter values are replaced in their fields and not looked for elsewhere: every text has such."""
LONG = 8
"""From this length on a value is also found within a longer word."""
SHORTEST_TEXT = 12
GRAM = 4
"""So many first characters lead to the values that begin with them."""
WORD = re.compile(r"\w+")

Known = Mapping[tuple[Kind, str], str]
"""The pseudonym of each real value."""


def is_looked_for(kind: Kind, value: str) -> bool:
    """Claim that a value says enough to be looked for outside its field."""
    if kind in (Kind.TEXT, Kind.SECRET):
        return len(value) >= SHORTEST_TEXT
    return len(value) >= (SHORTEST_NUMBER if value.isdigit() else SHORTEST) and WORD.search(value) is not None


class Sweep:
    """Puts pseudonyms for whatever real values a text holds."""

    def __init__(self, known: Known) -> None:
        self._known = {value: new for (kind, value), new in known.items() if is_looked_for(kind, value)}
        # A birth date is the beginning of many a time of today; it only counts by itself.
        dates = {value for kind, value in known if kind is Kind.DATE}
        ordered = sorted(self._known, key=len, reverse=True)
        self._by_start: dict[str, list[str]] = {}
        self._by_word: dict[str, list[tuple[int, str]]] = {}
        for each in ordered:
            if len(each) >= LONG and each not in dates:
                self._by_start.setdefault(each[:GRAM], []).append(each)
            first = WORD.search(each)
            if first is not None:
                self._by_word.setdefault(first[0], []).append((first.start(), each))
        long = [each for each in ordered if len(each) >= LONG]
        self._encoded = {quote(each, safe=""): quote(self._known[each], safe="") for each in long}

    def text(self, text: str) -> str:
        """Replace what is found in a text."""
        return "".join(self._swept("".join(self._within(text))))

    def address(self, text: str) -> str:
        """The same where values are percent-encoded."""
        for value, new in self._encoded.items():
            if value in text:
                text = text.replace(value, new)
        return self.text(text)

    def _within(self, text: str) -> Iterator[str]:
        """Long values, wherever they begin."""
        done = at = 0
        while at <= len(text) - LONG:
            begun = self._by_start.get(text[at : at + GRAM], ())
            found = next((each for each in begun if text.startswith(each, at)), "")
            if found:
                yield text[done:at]
                yield self._known[found]
                done = at + len(found)
            at += len(found) or 1
        yield text[done:]

    def _swept(self, text: str) -> Iterator[str]:
        done = 0
        for word in WORD.finditer(text):
            for before, value in self._by_word.get(word[0], ()):
                start = word.start() - before
                if start >= done and stands_alone(text, start, value):
                    yield text[done:start]
                    yield self._known[value]
                    done = start + len(value)
                    break
        yield text[done:]


def stands_alone(text: str, start: int, value: str) -> bool:
    """Claim that a value stands there as a word of its own; a number that is an arc of an OID does not."""
    if not text.startswith(value, start):
        return False
    end = start + len(value)
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    joins = "." if value.isdigit() else ""
    if (_is_of_word(before) and _is_of_word(value[0])) or (before and before in joins):
        return False
    if after and after in joins and text[end + 1 : end + 2].isdigit():
        return False
    return not (_is_of_word(after) and _is_of_word(value[-1]))


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"
