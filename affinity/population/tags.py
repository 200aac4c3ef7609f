"""What is said of a synthetic record in the truth: what its person is like, and what was done to it."""

from enum import StrEnum


class Tag(StrEnum):
    """The first ones are of the person and stand on each of its records; the others are of one record alone."""

    TWIN = "twin"
    NAMESAKE = "namesake"
    """Parent and child in one house have the same name."""
    CHILD = "child"
    CROSS_BORDER = "cross-border"
    MARRIED = "married"
    DEAD = "dead"

    MARRIED_NAME = "married-name"
    DOUBLE_NAME = "double-name"
    SHORTENED_FAMILY = "shortened-family"
    """One of several surnames was left out."""
    SHORT_FORM = "short-form"
    PLACEHOLDER = "placeholder"
    """A newborn without name yet: Bébé, Jumeau A."""
    CAPITALS = "capitals"
    ACCENTS_LOST = "accents-lost"
    TYPO_FAMILY = "typo-family"
    TYPO_GIVEN = "typo-given"
    SWAPPED_NAMES = "swapped-names"
    DAY_MONTH_SWAPPED = "day-month-swapped"
    BIRTH_DATE_WRONG = "birth-date-wrong"
    SEX_WRONG = "sex-wrong"
    MATRICULE_WRONG = "matricule-wrong"
    FORMER_ADDRESS = "former-address"
    TWO_ADDRESSES = "two-addresses"
    TYPO_STREET = "typo-street"
    NO_MATRICULE = "no-matricule"
    """The person has one, this source does not know it."""
    NO_ADDRESS = "no-address"
    NO_PHONE = "no-phone"
    NO_BIRTH_DATE = "no-birth-date"
    DUPLICATE = "duplicate"
    """The same source gave its patient a second number."""
    OVERLAY = "overlay"
    """The number of somebody else, who had it in an earlier record."""


OF_THE_PERSON = frozenset({Tag.TWIN, Tag.NAMESAKE, Tag.CHILD, Tag.CROSS_BORDER, Tag.MARRIED, Tag.DEAD})
