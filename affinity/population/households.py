"""Households: who lives together shares an address and a telephone, and often a name."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from affinity.population.chance import Weighted, between, pick
from affinity.population.names import Community, communities
from affinity.population.people import OLDEST, TODAY, Matricules, Person
from affinity.population.places import ABROAD, HOME, countries, landline, mobile
from affinity.population.tags import Tag
from pix.model import Address, Telecom

YEAR = 365
CROSS_BORDER = 0.08
INSURED = 0.6
"""Of those who live abroad, so many have a matricule."""
TWINS = 0.017
"""Of births. Statistics of the years after 2010 have 16 to 18 twin births in 1000."""
NAMED_AFTER_PARENT = 0.02
CHILDREN = Weighted((1, 2, 3, 4), (45, 38, 13, 4))
SHAPES = Weighted(("single", "couple", "family", "lone parent", "three generations"), (30, 22, 36, 7, 5))


class Home:
    """What the members of one household have in common while they are made."""

    def __init__(self, chance: Random, number: int) -> None:
        self.number = number
        self.community: Community = communities().pick(chance)
        self.is_abroad = chance.random() < CROSS_BORDER
        self.country = pick(chance, ABROAD) if self.is_abroad else HOME
        self.address: Address = countries()[self.country].address(chance)
        self.former: Address | None = None
        if chance.random() < 0.3:
            self.former = countries()[self.country].address(chance)
        self.landline: Telecom | None = landline(chance, self.country) if chance.random() < 0.7 else None
        self.tags = frozenset({Tag.CROSS_BORDER}) if self.is_abroad else frozenset()


class Society:
    """Makes one household after the other. It keeps two counters and the serial numbers given out, nobody's data."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._matricules = Matricules()
        self._persons = 0
        self._households = 0

    def households(self) -> Iterator[tuple[Person, ...]]:
        """Households without end."""
        while True:
            self._households += 1
            home = Home(self._chance, self._households)
            yield tuple(self._members(home, SHAPES.pick(self._chance)))

    def _members(self, home: Home, shape: str) -> Iterator[Person]:
        if shape == "single":
            yield self._adult(home, pick(self._chance, "FM"), between(self._chance, 19, 95))
        elif shape == "couple":
            yield from self._couple(home, between(self._chance, 22, 90))
        elif shape == "family":
            yield from self._family(home, between(self._chance, 24, 58))
        elif shape == "lone parent":
            parent = self._adult(home, "F" if self._chance.random() < 0.8 else "M", between(self._chance, 22, 58))
            yield parent
            yield from self._children(home, parent, parent)
        else:
            yield from self._three_generations(home)

    def _couple(self, home: Home, age: int) -> tuple[Person, Person]:
        """A woman and a man; if they are married, some call her by his name."""
        woman = self._adult(home, "F", age)
        man = self._adult(home, "M", min(95, max(19, age + between(self._chance, -3, 7))))
        if self._chance.random() < 0.65:
            woman = replace(woman, married_family=man.family, tags=woman.tags | {Tag.MARRIED})
            man = replace(man, tags=man.tags | {Tag.MARRIED})
        return woman, man

    def _family(self, home: Home, age: int) -> Iterator[Person]:
        mother, father = self._couple(home, age)
        children = tuple(self._children(home, mother, father))
        yield mother
        yield _named(father, children)
        yield from children

    def _three_generations(self, home: Home) -> Iterator[Person]:
        """A grandfather, his son with wife and children; one in four sons is called as his father is."""
        mother, father = self._couple(home, between(self._chance, 24, 45))
        elder = self._adult(home, "M", min(95, (TODAY - father.birth).days // YEAR + between(self._chance, 22, 40)))
        elder = replace(elder, family=father.family)
        if self._chance.random() < 0.25:
            elder = replace(elder, given=father.given, tags=elder.tags | {Tag.NAMESAKE})
            father = replace(father, tags=father.tags | {Tag.NAMESAKE})
        yield from (elder, mother, father)
        yield from self._children(home, mother, father)

    def _children(self, home: Home, mother: Person, father: Person) -> Iterator[Person]:
        """Brothers and sisters, at least a year apart but for twins."""
        latest = min(TODAY - timedelta(days=between(self._chance, 0, 19 * YEAR)), TODAY - timedelta(days=1))
        family = home.community.childs_family(mother.family, father.family, self._chance)
        for _ in range(CHILDREN.pick(self._chance)):
            if latest < mother.birth + timedelta(days=18 * YEAR):
                return
            child = self._child(home, mother, father, family, latest)
            if self._chance.random() < TWINS:
                yield from self._twins(home, child)
            else:
                yield child
            latest -= timedelta(days=between(self._chance, YEAR, 5 * YEAR))

    def _child(self, home: Home, mother: Person, father: Person, family: str, birth: date) -> Person:
        sex = pick(self._chance, "FM")
        child = self._person(home, sex, birth)
        after_father = sex == father.sex and self._chance.random() < NAMED_AFTER_PARENT
        given, family = (father.given, father.family) if after_father else (child.given, family)
        named = (given, family) == (father.given, father.family)
        return replace(
            child,
            family=family,
            given=given,
            mothers_family=mother.family,
            mothers_given=mother.given,
            mobile=child.mobile if birth.year < TODAY.year - 12 else None,
            tags=child.tags | {Tag.CHILD} | ({Tag.NAMESAKE} if named else set()),
        )

    def _twins(self, home: Home, first: Person) -> Iterator[Person]:
        """Two of one day; two thirds are of one sex, and half of these have names that begin alike."""
        sex = first.sex if self._chance.random() < 0.67 else "FM"[first.sex == "F"]
        alike = sex == first.sex and self._chance.random() < 0.5
        given = home.community.similar_given(first.given, sex, self._chance) if alike else self._other(home, first, sex)
        self._persons += 1
        first = replace(first, birth_order=1, tags=first.tags | {Tag.TWIN})
        yield first
        yield replace(
            first,
            number=self._persons,
            sex=sex,
            given=given,
            further_given=self._further(home, sex),
            birth_order=2,
            mobile=mobile(self._chance) if first.mobile else None,
            matricule=self._matricules.next(first.birth) if first.matricule else "",
            tags=first.tags - {Tag.NAMESAKE},
        )

    def _other(self, home: Home, first: Person, sex: str) -> str:
        given = home.community.given_name(sex, self._chance)
        return given if given != first.given else home.community.similar_given(given, sex, self._chance)

    def _adult(self, home: Home, sex: str, age: int) -> Person:
        days = min(OLDEST, age * YEAR + between(self._chance, 0, YEAR))
        person = self._person(home, sex, TODAY - timedelta(days=days))
        if age > 75 and self._chance.random() < 0.15:
            death = TODAY - timedelta(days=between(self._chance, 1, 5 * YEAR))
            return replace(person, death=death, tags=person.tags | {Tag.DEAD})
        return person

    def _person(self, home: Home, sex: str, birth: date) -> Person:
        chance = self._chance
        self._persons += 1
        has_matricule = not home.is_abroad or chance.random() < INSURED
        return Person(
            number=self._persons,
            household=home.number,
            sex=sex,
            given=home.community.given_name(sex, chance),
            further_given=self._further(home, sex),
            family=home.community.family_name(chance),
            birth=birth,
            matricule=self._matricules.next(birth) if has_matricule else "",
            address=home.address,
            former_address=home.former,
            second_address=countries()[HOME].address(chance) if home.is_abroad and chance.random() < 0.3 else None,
            landline=home.landline,
            mobile=mobile(chance) if chance.random() < 0.8 else None,
            tags=home.tags,
        )

    def _further(self, home: Home, sex: str) -> str:
        return home.community.given[sex].pick(self._chance) if self._chance.random() < 0.35 else ""


def _named(father: Person, children: tuple[Person, ...]) -> Person:
    """The father, marked if a child has his name."""
    named = any(each.given == father.given and each.family == father.family for each in children)
    return replace(father, tags=father.tags | {Tag.NAMESAKE}) if named else father
