"""Given names that are one name: spellings of several languages and short forms (``short_forms.toml``)."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from pix.folding import fold

NO_GROUP: frozenset[str] = frozenset()


@lru_cache(maxsize=1)
def table() -> Mapping[str, frozenset[str]]:
    """Folded given name -> the groups that it belongs to, of all languages together."""
    read = tomllib.loads(files("pix.matching").joinpath("short_forms.toml").read_text(encoding="utf-8"))
    found: dict[str, set[str]] = defaultdict(set)
    for language in read.values():
        for group, forms in language.items():
            for form in forms:
                found[fold(form).replace(" ", "")].add(group)
    return {form: frozenset(names) for form, names in found.items()}


def groups(word: str) -> frozenset[str]:
    """The groups of a folded given name; empty for a name that the table does not know."""
    return table().get(word, NO_GROUP)
