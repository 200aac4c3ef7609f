"""What the assertion catalogue obeys, beyond its form: ``python -m conformance.catalogue_lint`` names every fault."""

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from affinity.catalogue import TRANSACTIONS
from conformance.catalogue import Assertion, CatalogueFault, catalogue
from conformance.findings import VALIDATOR_RULES
from conformance.specification import BESIDE, Specification

NAME = re.compile(r"urn:[\w:.-]*\w|\$[A-Za-z]\w+|\bXDS[A-Z][a-z]\w+|\b[A-Z]\w+Exception\b")
"""What must be spelled as the text spells it: URNs, query parameters, error codes."""


def rules() -> frozenset[str]:
    """The names of every rule of this server and of the validators."""
    served = (rule.name for each in TRANSACTIONS for rule in each.rules)
    return frozenset((*served, *(rule.name for rule in VALIDATOR_RULES)))


def faults(assertions: Collection[Assertion], known_rules: Collection[str]) -> Iterator[str]:
    """What can be said without the text of the standard."""
    yield from (
        f"{id_}: is there {count} times" for id_, count in Counter(each.id for each in assertions).items() if count > 1
    )
    wordings = Counter((each.group, each.text) for each in assertions)
    for each in assertions:
        if wordings[each.group, each.text] > 1:
            yield f"{each.id}: another assertion of {each.group} has the same words"
        if not each.text.endswith("."):
            yield f"{each.id}: the text is no sentence: {each.text!r}"
        if each.transaction is not None and not f"{each.group}-".startswith(f"{each.transaction}-"):
            yield f"{each.id}: stands among those of {each.transaction}"
        if each.rule is not None and each.rule not in known_rules:
            yield f"{each.id}: no transaction has a rule {each.rule}"
    yield from _out_of_order(assertions)


def faults_in_text(assertions: Iterable[Assertion], specification: Specification) -> Iterator[str]:
    """What shows beside the text: a section or a name that is not there, words that are not our own."""
    for each in assertions:
        volume = specification.volume(each.citation)
        if not volume.pages:
            yield f"{each.id}: {each.citation.document} is not beside the project"
        elif not volume.has(each.citation.section):
            yield f"{each.id}: {each.citation} is not there"
        elif volume.prints(each.text):
            yield f"{each.id}: copies {each.citation}"
        yield from (f"{each.id}: {name} stands nowhere in the text" for name in _unknown_names(each, specification))


def _unknown_names(assertion: Assertion, specification: Specification) -> Iterator[str]:
    if assertion.ambiguous is None:  # else it may be the very point that the text spells a name in another way
        yield from (name for name in NAME.findall(assertion.text) if not specification.spells(name))


def _out_of_order(assertions: Iterable[Assertion]) -> Iterator[str]:
    last: dict[str, str] = {}
    for each in assertions:
        if each.id <= last.get(each.group, ""):
            yield f"{each.id}: comes after {last[each.group]}"
        last[each.group] = each.id


def main() -> int:
    """Print every fault; 1 if there is one."""
    try:
        assertions = catalogue()
    except CatalogueFault as fault:
        print(fault)
        return 1
    found = list(faults(assertions, rules()))
    if BESIDE.is_dir():
        found += faults_in_text(assertions, Specification())
    else:
        print(f"{BESIDE} is not there: sections and wording are not compared with the text", file=sys.stderr)
    print("\n".join(found) or f"{len(assertions)} assertions, no fault")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
