"""Lists of words (``vocabulary.toml``), folded."""

import tomllib
from importlib.resources import files

from pix.folding import fold

READ = tomllib.loads(files("pix.matching").joinpath("vocabulary.toml").read_text(encoding="utf-8"))


def vocabulary(name: str) -> frozenset[str]:
    """The folded words of one list of the file."""
    return frozenset(fold(each) for each in READ[name].split())
