"""One person of the synthetic population, as the truth has it, and the matricules that are given out."""

from array import array
from dataclasses import dataclass
from datetime import date

from affinity.population.tags import Tag
from pix import matricule
from pix.model import Address, Telecom

TODAY = date(2026, 1, 1)
"""Ages are counted from here, so that a seed gives the same people next year."""
OLDEST = 40_000
"""Days."""
SERIALS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody really is. ``family`` is the name at birth; ``""`` and None: there is none."""

    number: int
    household: int
    sex: str
    given: str
    further_given: str
    family: str
    married_family: str = ""
    birth: date
    birth_order: int = 0
    death: date | None = None
    matricule: str = ""
    address: Address
    former_address: Address | None = None
    second_address: Address | None = None
    landline: Telecom | None
    mobile: Telecom | None
    mothers_family: str = ""
    mothers_given: str = ""
    tags: frozenset[Tag] = frozenset()

    @property
    def is_infant(self) -> bool:
        """Claim that the maternity ward may still know this child without a name."""
        return (TODAY - self.birth).days < 730


class Matricules:
    """Gives each person of one birth date the next serial number; those of twins are neighbours."""

    def __init__(self) -> None:
        self._given = array("I", bytes(4 * (OLDEST + 1)))

    def next(self, birth: date) -> str:
        """A matricule that nobody has; none (``""``) once the day's thousand serial numbers are given out."""
        day = (TODAY - birth).days
        count = self._given[day]
        if count == SERIALS:
            return ""
        self._given[day] = count + 1
        serial = (count + 7 * day) % SERIALS
        return matricule.complete(f"{birth.year:04d}{birth.month:02d}{birth.day:02d}{serial:03d}")
