"""Words that stand in a name for "we do not know": newborns, tests, unknown patients. They identify nobody."""

from pix.matching.vocabulary import vocabulary

GIVEN = vocabulary("placeholders")


def is_placeholder(words: tuple[str, ...]) -> bool:
    """Claim that a given name (folded words) is none, as its first word says: ``Jumeau A``, ``Baby of Maria``."""
    return bool(words) and words[0] in GIVEN
