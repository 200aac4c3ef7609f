"""Vocabularies of the standards as enumerations."""

from enum import Enum


class Vocabulary(Enum):
    """Terms that key dictionaries on every request: each equals itself alone, and ``Enum`` hashes names in Python."""

    __hash__ = object.__hash__
