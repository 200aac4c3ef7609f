"""A server that ignores one parameter of a stored query."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from conformance.catalogue import catalogue
from conformance.mutants.mutant import Mutant, original, replaced
from xds.model import MetadataObject
from xds.stored_queries import REGISTRY_STORED_QUERIES
from xds.stored_query import Parameter, StoredQuery

RESTRICTING = "xds.query_conditions:_restricting"
NAMED = re.compile(r"(\w+) with (\$\w+)")
"""How the catalogue words what a parameter does."""


def mutants() -> Iterator[Mutant]:
    """One for each parameter about which the catalogue has an assertion."""
    for query in REGISTRY_STORED_QUERIES:
        for parameter in query.parameters:
            breaks = frozenset(each.id for each in catalogue() if _is_about(each.text, query, parameter))
            if breaks:
                yield Mutant(
                    name=f"ignores:{query.name}:{parameter.name[1:]}",
                    sentence=f"{query.name} with {parameter.name} restricts its answer",
                    breaks=breaks,
                    switched=_ignoring(query, parameter),
                )


def _is_about(text: str, query: StoredQuery, parameter: Parameter) -> bool:
    named = NAMED.match(text)
    return named is not None and named.groups() == (query.name, parameter.name)


def _ignoring(query: StoredQuery, parameter: Parameter) -> Callable[[], AbstractContextManager[None]]:
    restricting = original(RESTRICTING)

    def ignoring(asked: StoredQuery, kind: MetadataObject) -> tuple[tuple[Parameter, object], ...]:
        found: tuple[tuple[Parameter, object], ...] = restricting(asked, kind)
        return tuple((each, usual) for each, usual in found if asked is not query or each is not parameter)

    return lambda: replaced(RESTRICTING, ignoring)
