"""Where an element of an ebXML payload stands: its path by local names, from the payload's root."""

from lxml.etree import QName, _Element

from soap.names import SOAP11, SOAP12


def path(element: _Element) -> str:
    """``/AdhocQueryResponse/RegistryErrorList/RegistryError[2]``; an envelope around the payload does not count."""
    steps = [_step(element)]
    for each in element.iterancestors():
        if QName(each).namespace in (SOAP11, SOAP12):
            break
        steps.append(_step(each))
    return "/" + "/".join(reversed(steps))


def _step(element: _Element) -> str:
    name = QName(element).localname
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    alone = not before and next(element.itersiblings(element.tag), None) is None
    return name if alone else f"{name}[{before + 1}]"
