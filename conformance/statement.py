"""The IHE Integration Statement of this version, made from the catalogue so that it cannot claim anything else."""

from collections.abc import Iterable, Iterator

from affinity.catalogue import INITIATED, PATHS, TRANSACTIONS, AnyTransaction
from ihe.transactions import HL7v2Binding, Initiated, SOAPBinding

HEAD = """# IHE Integration Statement

Made from `affinity/catalogue.py` by `python -m conformance.statement`; a test keeps it true. Affinity plays these
responder actors of the IT Infrastructure Technical Framework (revision 19.0) and of the supplements Metadata Update
and RMD.
"""


def statement(transactions: Iterable[AnyTransaction] = TRANSACTIONS, begun: Iterable[Initiated] = INITIATED) -> str:
    """Render the statement as Markdown: the transactions of each actor with their bindings, then those we begin."""
    by_actor: dict[str, list[AnyTransaction]] = {}
    for transaction in transactions:
        by_actor.setdefault(transaction.responder, []).append(transaction)
    answered = (line for actor in by_actor for line in _actor(actor, by_actor[actor]))
    return "\n".join([HEAD, *answered, *_initiated(begun)])


def _actor(name: str, transactions: list[AnyTransaction]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| transaction | name | from | defined in | binding |"
    yield "|---|---|---|---|---|"
    for each in transactions:
        bindings = "<br>".join(_bindings(each))
        yield f"| {each.id} | {each.name} | {each.initiator} | {each.citation} | {bindings} |"
    yield ""


def _initiated(begun: Iterable[Initiated]) -> Iterator[str]:
    yield "## Transactions that Affinity begins\n"
    yield "| transaction | name | as | to | defined in | binding |"
    yield "|---|---|---|---|---|---|"
    for each in begun:
        wires = ", ".join(
            f"MLLP: {', '.join(sorted(binding.triggers))}"
            if isinstance(binding, HL7v2Binding)
            else f"SOAP 1.2: `{binding.action}`"
            for binding in each.bindings
        )
        yield f"| {each.id} | {each.name} | {each.initiator} | {each.responder} | {each.citation} | {wires} |"
    yield ""


def _bindings(transaction: AnyTransaction) -> Iterator[str]:
    for binding in transaction.bindings:
        if isinstance(binding, HL7v2Binding):
            yield "MLLP: " + ", ".join(sorted(binding.triggers))
        if isinstance(binding, SOAPBinding):
            wire = "SOAP 1.2 with MTOM" if binding.mtom else "SOAP 1.2"
            yield f"{wire} at `{PATHS[transaction.responder]}`: `{binding.action}`"


if __name__ == "__main__":
    print(statement(), end="")
