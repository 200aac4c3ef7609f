"""What a node said at /metrics, as values to be asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

NOT_SHOWN = ("_bucket", "_created")
"""Endings of series that are for Prometheus alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one series."""

    name: str
    labels: Mapping[str, str]
    value: float

    def __str__(self) -> str:
        said = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.name}{{{said}}}" if said else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """All values of one page. Several processes of a node may each show a series: they are added up."""

    samples: tuple[Sample, ...]

    @classmethod
    def read(cls, page: str) -> Self:
        """Read Prometheus' text format. Raises ValueError if it is none."""
        families = text_string_to_metric_families(page)
        found = (each for family in families for each in family.samples if not each.name.endswith(NOT_SHOWN))
        return cls(samples=tuple(Sample(name=each.name, labels=each.labels, value=each.value) for each in found))

    def total(self, name: str, **labels: str) -> float:
        """The sum of the series that have these labels; 0 where there is none."""
        return sum(each.value for each in self._found(name, labels))

    def oldest(self, name: str, **labels: str) -> float:
        """The largest of them: of ages the oldest; 0 where there is none."""
        return max((each.value for each in self._found(name, labels)), default=0.0)

    def first(self, name: str, **labels: str) -> Sample | None:
        """Any of them."""
        return next(self._found(name, labels), None)

    def values_of(self, name: str, label: str) -> tuple[str, ...]:
        """Which values a label has, in the order of the page."""
        return tuple(dict.fromkeys(each.labels[label] for each in self._found(name, {}) if label in each.labels))

    def _found(self, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
        return (each for each in self.samples if each.name == name and labels.items() <= each.labels.items())
