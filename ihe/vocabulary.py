"""Vocabularies of the standards as enumerations."""

from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING


class Vocabulary(Enum):
    """Terms that key dictionaries and are spelled on every request.

    What ``Enum`` has for that runs in Python. Each term equals itself alone, so its hash may be that of an object.
    """

    __hash__ = object.__hash__

    if not TYPE_CHECKING:
        name = property(attrgetter("_name_"))
        value = property(attrgetter("_value_"))
