"""An assertion that is about one patient allows no request about another (resource-id; ITI TF-2: 3.40.4.1.2.2.1).

The resource-id is an id of the requesting organization, the request names an id of the registry's: the patient index
knows whether both are one person.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from affinity.catalogue import AnyTransaction
from ihe.datatypes import CX, parse_patient_id
from ihe.exchange import Exchange, Principal
from pix.candidates import persons_named
from pix.manager import PatientIndex
from pix.model import Identifier
from xua.errors import AssertionRefused, Subcode

SamePatient = Callable[[CX, CX], bool]
"""Claims that two ids are one person's."""


@dataclass(frozen=True, slots=True)
class SamePerson:
    """Asks the patient index."""

    index: PatientIndex

    def __call__(self, one: CX, other: CX) -> bool:
        """Claim that both ids are one id, or are known and one person's beyond doubt."""
        if str(one) == str(other):
            return True
        found = [self._person(each) for each in (one, other)]
        return found[0] is not None and found[0] == found[1]

    def _person(self, named: CX) -> object:
        """The person of that id; None where nobody announced it, or sources contradict each other about it."""
        authority = self.index.domain.authority(named.authority)
        if authority is None:
            return None
        identifier = Identifier(authority=authority, id=named.id)
        persons = self.index.database.read(lambda connection: persons_named(connection, identifier))
        return next(iter(persons)) if persons and len(persons) == 1 else None


def bound_patient(principal: Principal | None) -> CX | None:
    """The one patient about whom a person may ask; None: the assertion restricts nothing."""
    if principal is None or principal.resource_id is None or not principal.patient_bound:
        return None
    return parse_patient_id(principal.resource_id)


def patient_bound(transactions: Iterable[AnyTransaction], same: SamePatient) -> tuple[AnyTransaction, ...]:
    """The transactions, each of which checks its request against the assertion's patient before it handles it."""
    return tuple(replace(each, handle=_checked(each, same)) for each in transactions)


def _checked(transaction: AnyTransaction, same: SamePatient) -> Callable[[Any, Any, Exchange], Any]:
    handle, patients = transaction.handle, transaction.patients

    def checked(request: Any, port: Any, exchange: Exchange) -> Any:
        about = bound_patient(exchange.principal)
        if about is not None and not all(same(about, asked) for asked in patients(request)):
            raise AssertionRefused(
                Subcode.FAILED_AUTHENTICATION,
                f"the assertion is about another patient than the {transaction.id} request (resource-id)",
            )
        return handle(request, port, exchange)

    return checked
