"""A decision for human eyes: a row per field, then caps, vetoes, thresholds and outcome (``affinity pix explain``)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pix.matching.scoring import Comparison
from pix.matching.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``one`` and ``other`` are what was compared, normalized; empty if not to be shown."""

    field: str
    one: str
    other: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that led to an outcome. ``caps`` are (name, bits taken off); ``missing`` fields were not comparable."""

    rows: tuple[Row, ...]
    caps: tuple[tuple[str, float], ...]
    vetoes: tuple[str, ...]
    weight: float
    link: float
    review: float
    outcome: str
    version: str
    sentence: str


def explain(comparison: Comparison, one: Subject | None = None, other: Subject | None = None) -> Explanation:
    """Explain a comparison; with the subjects the rows show what was compared. Give one of ``compare_fully``."""
    return Explanation(
        rows=tuple(
            Row(field=field, one=_shown(field, one), other=_shown(field, other), level=level, bits=bits)
            for field, level, bits in comparison.evidence
        ),
        caps=comparison.caps,
        vetoes=comparison.vetoes,
        weight=comparison.weight,
        link=comparison.configuration.link,
        review=comparison.configuration.review,
        outcome=comparison.outcome.value,
        version=comparison.configuration.version,
        sentence=_sentence(comparison),
    )


def _sentence(comparison: Comparison) -> str:
    weight, link, review = comparison.weight, comparison.configuration.link, comparison.configuration.review
    if comparison.vetoes and weight >= review:
        return f"Put before a human: {', '.join(comparison.vetoes)} (weight {weight:.1f}, link from {link:.1f})"
    if weight >= link:
        return f"Linked: weight {weight:.1f} reaches {link:.1f} and nothing speaks against it"
    if comparison.outcome.value == "review":
        return f"Put before a human: weight {weight:.1f} is between {review:.1f} and {link:.1f}, or an id is shared"
    return f"Left apart: weight {weight:.1f} is below {review:.1f}"


def _shown(field: str, subject: Subject | None) -> str:
    return "" if subject is None else SHOWN[field](subject)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(texts))


SHOWN: Mapping[str, Callable[[Subject], str]] = {
    "family": lambda subject: _joined(subject.family_words),
    "given": lambda subject: " | ".join(" ".join(words) for words in subject.givens),
    "birth": lambda subject: subject.birth,
    "sex": lambda subject: subject.sex,
    "national": lambda subject: _joined(id for _, id in subject.nationals),
    "identifier": lambda subject: _joined(subject.identifiers),
    "phone": lambda subject: _joined(subject.phones),
    "email": lambda subject: _joined(subject.emails),
    "postal_code": lambda subject: _joined(place.postal_code for place in subject.places),
    "city": lambda subject: _joined(place.city for place in subject.places),
    "street": lambda subject: _joined(f"{place.street} {place.number}".strip() for place in subject.places),
    "mother": lambda subject: _joined(subject.mothers),
    "birth_place": lambda subject: subject.birth_place,
}
