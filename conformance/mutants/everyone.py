"""Every mutant there is."""

from functools import cache

from conformance.mutants import of_documents, of_patients, of_queries, of_rules
from conformance.mutants.mutant import Mutant


@cache
def mutants() -> tuple[Mutant, ...]:
    """All, in the order in which they are hunted. Their names are distinct."""
    return (*of_rules.mutants(), *of_queries.mutants(), *of_documents.MUTANTS, *of_patients.MUTANTS)
