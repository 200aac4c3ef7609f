"""``golden.toml`` of a domain's directory: whose word counts in the golden view of a patient (``pix.golden``)."""

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from affinity.domain_files import Table
from pix.golden import LEADERS, Order, Survivorship


def _order(value: object) -> object:
    if isinstance(value, str) and value not in tuple(Order):
        raise ValueError(f"is none of: {', '.join(Order)}")
    return Order(value) if isinstance(value, str) else value


Orders = Annotated[tuple[Annotated[Order, BeforeValidator(_order)], ...], Field(min_length=1)]


class GoldenFile(Table):
    """The file as written. ``trusted`` names facilities of ``organizations.toml``, the most trusted first."""

    trusted: tuple[str, ...] = ()
    default: Orders = Survivorship().default
    rules: dict[str, Orders] = Field(default_factory=dict)

    @field_validator("rules")
    @classmethod
    def _attributes_exist(cls, rules: dict[str, Orders]) -> dict[str, Orders]:
        for name in rules:
            if name not in LEADERS:
                raise ValueError(f"{name} is none of: {', '.join(sorted(LEADERS))}")
        return rules

    def unknown(self, facilities: Iterable[str]) -> Iterator[str]:
        """The trusted facilities that the domain does not have."""
        known = frozenset(facilities)
        return (each for each in self.trusted if each not in known)

    def survivorship(self) -> Survivorship:
        """The rules as the index takes them: any application of a trusted facility is trusted."""
        return Survivorship(
            trusted=tuple(f"*|{each}" for each in self.trusted),
            default=self.default,
            rules=MappingProxyType(dict(self.rules)),
        )
