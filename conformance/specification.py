"""The text of the Technical Framework where it lies beside the project: is a section there, is a sentence its own?"""

import re
from functools import cached_property
from pathlib import Path

from ihe.citations import Citation

BESIDE = Path(__file__).resolve().parents[2] / "shared/spec/iti"
"""Where the text is looked for; it is never part of the project."""

NUMBER = re.compile(r"^(?P<table>Table )?(?:Appendix )?(?P<number>[A-Z0-9][A-Za-z0-9.-]*)")
HEADINGS = (
    re.compile(r"^(?:#+ )?[*~ ]*(?:Appendix )?([A-Z0-9][A-Za-z0-9.-]*)", re.MULTILINE),
    re.compile(r"  ([A-Z0-9]{1,2}\.[A-Za-z0-9.-]+) +[A-Z]"),
)
"""Each begins a line, with or without its mark; in some pages a whole section is one line, with two spaces between."""
CAPTION = re.compile(r"\bTable ([A-Z0-9][A-Za-z0-9.-]*)")
NON_BREAKING_HYPHEN = "\u2011"
MARKUP = re.compile(r"[*`_~<>|\\]+")


class Volume:
    """The pages of one volume, or a supplement, as one text."""

    def __init__(self, pages: list[Path]) -> None:
        self.pages = pages

    def has(self, section: str) -> bool:
        """Whether a heading (some are but a line of text), or a table, has the number with which ``section`` begins."""
        found = NUMBER.match(section)
        if found is None:
            return False
        return found["number"] in (self._tables if found["table"] else self._sections)

    def prints(self, sentence: str) -> bool:
        """Whether ``sentence`` stands there word for word."""
        return _plain(sentence).rstrip(".") in self._words

    @cached_property
    def _sections(self) -> frozenset[str]:
        return frozenset(number.rstrip(".-") for pattern in HEADINGS for number in pattern.findall(self._text))

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(number.rstrip(".-") for number in CAPTION.findall(self._text))

    @cached_property
    def _text(self) -> str:
        text = "\n".join(page.read_text(encoding="utf-8") for page in self.pages)
        return text.replace(NON_BREAKING_HYPHEN, "-")

    @cached_property
    def _words(self) -> str:
        return _plain(self._text)


def _plain(text: str) -> str:
    return " ".join(MARKUP.sub(" ", text).lower().split())


class Specification:
    """The volumes below one folder."""

    def __init__(self, folder: Path = BESIDE) -> None:
        self._folder = folder
        self._volumes: dict[str, Volume] = {}

    def volume(self, citation: Citation) -> Volume:
        """The volume that a citation names; one without pages if it is not there."""
        if citation.document not in self._volumes:
            self._volumes[citation.document] = Volume(self._pages(citation.document))
        return self._volumes[citation.document]

    def spells(self, name: str) -> bool:
        """Whether a name (a URN, a code, a parameter) stands anywhere, letter by letter."""
        return name in self._whole

    @cached_property
    def _whole(self) -> str:
        return "\n".join(page.read_text(encoding="utf-8") for page in sorted(self._folder.rglob("*.md")))

    def _pages(self, document: str) -> list[Path]:
        if document.startswith("ITI TF-"):
            return sorted((self._folder / f"vol{document.removeprefix('ITI TF-')}").glob("*.md"))
        name = document.removeprefix("ITI Suppl. ").replace(" ", "_")
        return sorted((self._folder / "supplements").glob(f"{name}*.md"))
