"""Where a transaction is found on the wire."""

from typing import Any

from ihe.transactions import Initiated, SOAPBinding, Transaction


def soap_binding(transaction: Transaction[Any, Any, Any, Any, Any] | Initiated) -> SOAPBinding:
    """The first SOAP binding of a transaction that has one."""
    return next(each for each in transaction.bindings if isinstance(each, SOAPBinding))
