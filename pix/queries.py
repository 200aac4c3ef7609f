"""What is asked of the index and what it answers, in values (ITI TF-2: 3.21, 3.47; Appendix M)."""

from dataclasses import dataclass
from enum import StrEnum

from ihe.datatypes import CX
from ihe.domain import AssigningAuthority
from ihe.identifiers import PatientKey
from pix.model import Demographics, Identifier


class SearchMode(StrEnum):
    """How criteria are compared; the value is the name of the algorithm that a query may ask for.

    EXACT finds whom every criterion fits, APPROXIMATE also similar names and dates, each with its degree of match.
    """

    EXACT = "exact"
    APPROXIMATE = "approximate"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierPattern:
    """An identifier to search for; without an authority it may be of any domain."""

    id: str
    authority: AssigningAuthority | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What to search for: every criterion must hold (ITI TF-2: Table M.4.2-1).

    Texts ignore case and accents and may hold ``*`` for any characters. ``birth`` is an inclusive range of two DTM,
    each of any precision: ``("1980", "1980")`` is the whole year. An account without an authority may be anybody's.
    """

    identifiers: tuple[IdentifierPattern, ...] = ()
    family: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    birth: tuple[str, str] | None = None
    sex: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    mothers_family: str | None = None
    mothers_given: str | None = None
    phone: str | None = None
    email: str | None = None
    accounts: tuple[CX, ...] = ()

    @property
    def birthday(self) -> str | None:
        """The day of birth, YYYYMMDD, if the very day is asked for."""
        low, high = (each[:8] for each in self.birth or ("", ""))
        return low if low == high and len(low) == 8 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One person that matches: the ids of all linked sources, and the golden view of what they say (``pix.golden``).

    ``key`` is that of the record which stands for the person. ``match_degree`` says in percent how well the person
    matches the query.
    """

    key: PatientKey
    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    match_degree: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of the result. ``total`` counts all matches; ``truncated`` says that there were more than the index lists.

    ``start`` is the 1-based number of the first candidate here; ``pointer`` fetches the next page, None at the end.
    ``skipped`` counts those left out here because they were merged, since the search, with one that stands before.
    ``domains`` (OIDs) and ``asked`` are those of the query.
    """

    candidates: tuple[Candidate, ...]
    total: int
    start: int = 1
    pointer: str | None = None
    skipped: int = 0
    truncated: bool = False
    domains: tuple[str, ...] = ()
    asked: str = ""

    @property
    def following(self) -> int:
        """The 1-based number of the first candidate after this page."""
        return self.start + len(self.candidates) + self.skipped

    @property
    def remaining(self) -> int:
        """How many matches follow after this page."""
        return max(self.total + 1 - self.following, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateQuery:
    """A demographics query. ``owner`` and ``tag`` name it for continuation and cancellation (sender, query tag).

    ``domains`` restricts the identifiers in the answer, empty for all; a person without an id in any of them is not
    returned (ITI TF-2: 3.21.4.2.2.8, case 2). ``quantity`` limits the first page, None for all at once.
    ``alternatives`` are further criteria: a person who meets them or ``criteria`` is found. ``asked`` is the query as
    sent, which a continuation in HL7 v2 and answers in HL7 v3 repeat (ITI TF-2: 3.21.4.2.3, 3.47.4.2.2.3).
    ``continued_by_tag``: the tag alone says what goes on, as in HL7 v3, so that no older result may have it. Candidates
    of a ``match_degree`` below ``minimum_degree`` (percent) are left out.
    """

    criteria: Criteria
    alternatives: tuple[Criteria, ...] = ()
    domains: tuple[AssigningAuthority, ...] = ()
    quantity: int | None = None
    owner: str = ""
    tag: str = ""
    asked: str = ""
    algorithm: SearchMode = SearchMode.EXACT
    minimum_degree: int | None = None
    continued_by_tag: bool = False
