"""A message as people read it: a segment a line, XML indented; parts that are no text by their length."""

import re
from html import escape

from lxml import etree

from conformance.exchanges import Payload
from soap.xml import XMLRefused, parse

MOST = 200_000
"""Characters of one message that the page shows; all of it is in the bundle."""
ENVELOPE = re.compile(rb"<[\w:]*Envelope\b.*</[\w:]*Envelope>", re.DOTALL)


def folded(payload: Payload) -> str:
    """The message in a ``pre``, behind its headers."""
    head = "\n".join((payload.start_line, *(f"{name}: {value}" for name, value in payload.headers)))
    shown = f"<pre><small>{escape(head)}</small></pre>" if payload.start_line else ""
    return shown + f"<pre>{escape(_readable(payload.content)[:MOST])}</pre>"


def _readable(content: bytes) -> str:
    if content.startswith(b"MSH"):
        return content.decode("utf-8", "replace").replace("\r", "\n")
    envelope = ENVELOPE.search(content)
    if envelope is None:
        return content.decode("utf-8", "replace")
    rest = len(content) - len(envelope[0])
    return _indented(envelope[0]) + (f"\n[{rest} bytes of the package around the envelope]" if rest else "")


def _indented(xml: bytes) -> str:
    try:
        root = parse(xml)
    except XMLRefused:
        return xml.decode("utf-8", "replace")
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
