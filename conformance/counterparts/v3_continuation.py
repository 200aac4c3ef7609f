"""QUQI_IN000003UV01: the next patients of a query, or its end (ITI TF-2: 3.47.4.3, 3.47.4.4, O.2.4)."""

from collections.abc import Mapping
from copy import deepcopy

from lxml.etree import _Element

from affinity.client.v3 import Devices, begin
from ihe.identifiers import new_oid
from pix.iti47 import CONTINUED
from pix.v3_elements import add
from pix.v3_queries import QUERY


def going_on(devices: Devices, name: str, query: _Element, status: str, numbers: Mapping[str, int]) -> _Element:
    """A continuation of ``query`` in an element of this ``name``: WSDL has the suffix _Cancel, the interaction not."""
    message, act = begin(name, devices)
    _at(message, "interactionId").set("extension", CONTINUED)
    _at(act, "code").set("code", CONTINUED.replace("_IN", "_TE"))
    acknowledgement = add(message, "acknowledgement")
    act.addprevious(acknowledgement)
    add(acknowledgement, "typeCode", code="AA")
    add(add(acknowledgement, "targetMessage"), "id", root=new_oid())
    continuation = add(act, "queryContinuation")
    continuation.append(deepcopy(_at(query, f"{QUERY}/queryId")))
    for name_of_number, number in numbers.items():
        add(continuation, name_of_number, value=str(number))
    add(continuation, "statusCode", code=status)
    return message


def _at(element: _Element, path: str) -> _Element:
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    assert found is not None, path
    return found
