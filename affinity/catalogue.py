"""Every transaction of this node in two lists; endpoints, routing, WSDL, metrics and the docs' table read them."""

from typing import Any

from ihe.transactions import Actor, HL7v2Binding, Initiated, SOAPBinding, Transaction
from pix.iti8 import ITI_8
from pix.iti9 import ITI_9
from pix.iti10 import ITI_10
from pix.iti21 import ITI_21
from pix.iti22 import ITI_22
from pix.iti30 import ITI_30
from pix.iti31 import ITI_31
from pix.iti44 import ITI_44
from pix.iti44_registry import ITI_44_REGISTRY
from pix.iti45 import ITI_45
from pix.iti46 import ITI_46
from pix.iti47 import ITI_47
from pix.iti64 import ITI_64
from xds.iti18 import ITI_18
from xds.iti41 import ITI_41
from xds.iti42 import ITI_42
from xds.iti43 import ITI_43
from xds.iti51 import ITI_51
from xds.iti57 import ITI_57
from xds.iti61 import ITI_61
from xds.iti62 import ITI_62
from xds.iti86 import ITI_86

AnyTransaction = Transaction[Any, Any, Any, Any, Any]

TRANSACTIONS: tuple[AnyTransaction, ...] = (
    ITI_8,
    ITI_9,
    ITI_18,
    ITI_21,
    ITI_22,
    ITI_30,
    ITI_31,
    ITI_41,
    ITI_42,
    ITI_43,
    ITI_44,
    ITI_44_REGISTRY,
    ITI_45,
    ITI_47,
    ITI_51,
    ITI_57,
    ITI_61,
    ITI_62,
    ITI_64,
    ITI_86,
)

INITIATED: tuple[Initiated, ...] = (ITI_10, ITI_46)
"""What this node begins; the docs' table and the statement read it."""

PATHS = {
    Actor.DOCUMENT_REGISTRY: "/xds/registry",
    Actor.DOCUMENT_REPOSITORY: "/xds/repository",
    Actor.PIX_MANAGER: "/pix",
    Actor.PATIENT_DEMOGRAPHICS_SUPPLIER: "/pdq",
    Actor.X_ASSERTION_PROVIDER: "/sts",
}
"""Where each responder actor answers SOAP."""


def soap_endpoints(transactions: tuple[AnyTransaction, ...]) -> dict[str, tuple[AnyTransaction, ...]]:
    """The SOAP transactions of each path."""
    endpoints: dict[str, tuple[AnyTransaction, ...]] = {}
    for transaction in transactions:
        if any(isinstance(binding, SOAPBinding) for binding in transaction.bindings):
            path = PATHS[transaction.responder]
            endpoints[path] = (*endpoints.get(path, ()), transaction)
    return endpoints


def hl7v2_transactions(transactions: tuple[AnyTransaction, ...]) -> tuple[AnyTransaction, ...]:
    """Those that arrive over MLLP."""
    return tuple(each for each in transactions if any(isinstance(binding, HL7v2Binding) for binding in each.bindings))
