"""What is known of one source record: its demographics and the national ids that it carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pix.agreement import COMPARED
from pix.model import NOTHING_KNOWN, Demographics
from pix.snapshot import demographics_of, known


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """A national id as one record carries it; ``valid`` if its check digits are right."""

    authority: str
    id: str
    type_code: str
    valid: bool

    @property
    def plain(self) -> Mapping[str, Any]:
        """The id as an event keeps it."""
        return {"authority": self.authority, "id": self.id, "type_code": self.type_code, "valid": self.valid}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "NationalId":
        """What ``plain`` gave."""
        return cls(
            authority=plain["authority"], id=plain["id"], type_code=plain.get("type_code", ""), valid=plain["valid"]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is known of one record."""

    demographics: Demographics = NOTHING_KNOWN
    nationals: tuple[NationalId, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What linking looks at."""
        return (set(self.nationals), *(getattr(self.demographics, name) for name in COMPARED))

    @property
    def plain(self) -> Mapping[str, Any]:
        """The state as an event keeps it."""
        return {"demographics": known(self.demographics), "national": [each.plain for each in self.nationals]}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "State":
        """What ``plain`` gave."""
        return cls(
            demographics=demographics_of(plain["demographics"]),
            nationals=tuple(map(NationalId.of, plain.get("national", ()))),
        )


NOTHING = State()
NO_IDS: frozenset[tuple[str, str]] = frozenset()


def linking_ids(nationals: tuple[NationalId, ...]) -> frozenset[tuple[str, str]]:
    """The ids that may link: the valid one of each authority; where there are several, all of them as one.

    That one is like no single id: a second number links with nobody, and does not hide that two records differ.
    """
    if not nationals:
        return NO_IDS
    valid: dict[str, set[str]] = {}
    for each in nationals:
        if each.valid:
            valid.setdefault(each.authority, set()).add(each.id)
    return frozenset((authority, " ".join(sorted(ids))) for authority, ids in valid.items())
