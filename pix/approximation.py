"""What a person may have meant: an approximate search asks these questions together, and ranks who is found."""

from collections.abc import Iterator
from dataclasses import replace

from pix.queries import Criteria

LEAST = 60
"""Percent below which nobody is listed unless a lower degree is asked for."""


def relaxed(criteria: Criteria) -> tuple[Criteria, ...]:
    """The question itself, and with names swapped, day and month swapped, or a family name that is another today."""
    questions = [criteria]
    for each in (*_names_swapped(criteria), *_day_swapped(criteria), *_renamed(criteria)):
        # Compared, not hashed: an authority, which an id may be of, cannot be.
        if each not in questions:
            questions.append(each)
    return tuple(questions)


def _names_swapped(criteria: Criteria) -> Iterator[Criteria]:
    if criteria.family and criteria.given:
        yield replace(criteria, family=criteria.given, given=criteria.family)


def _day_swapped(criteria: Criteria) -> Iterator[Criteria]:
    day = criteria.birthday
    if day and day[6:] <= "12":
        swapped = day[:4] + day[6:] + day[4:6]
        yield replace(criteria, birth=(swapped, swapped))


def _renamed(criteria: Criteria) -> Iterator[Criteria]:
    """The same given names, born the same day: a family name mistyped, or married."""
    if criteria.family and criteria.given and criteria.birthday:
        yield replace(criteria, family=())
