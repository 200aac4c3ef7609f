"""XML in and out: the only module that constructs an XML parser.

SOAP 1.2 Part 1, section 5: a message holds no document type declaration and no processing instruction. Comments and
processing instructions are dropped while parsing, so that ``element.text`` is the whole text: a comment cannot split
it, neither by accident nor to make a name read differently from how it was signed. Who refuses them has them kept.
"""

import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lxml import etree
from lxml.etree import _Element

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class XMLLimits:
    """What a document may cost: ``size`` in bytes, ``depth`` of nesting, ``attributes`` of one element, ``tags``.

    A tag, opening or closing, may cost 130 bytes of memory, however short it is spelled; a submission of 1000 documents
    has about 400,000.
    libxml2 adds its own: 256 levels, 10 million bytes in one text or one attribute, a bounded number of names.
    """

    size: int = 16 * MIB
    depth: int = 128
    attributes: int = 256
    tags: int = 500_000


DEFAULT_LIMITS = XMLLimits()


class XMLRefused(ValueError):
    """A document that is not well-formed or breaks a limit. The message is for its sender, not for logs."""


_PARSERS = threading.local()
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile('[&<>"\t\n\r]')
_REFERENCES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def parse(
    data: bytes,
    limits: XMLLimits = DEFAULT_LIMITS,
    encoding: str | None = None,
    comments_kept_in: tuple[str, ...] = (),
) -> _Element:
    """Read one document and return its root; XMLRefused says what is wrong with it.

    ``encoding`` is what the transport declared (the charset of a media type); it overrides the XML declaration.
    Neither entities nor DTDs nor the network are touched. Comments and processing instructions within the elements
    ``comments_kept_in`` stay in the tree.
    """
    if len(data) > limits.size:
        raise XMLRefused(f"the XML document has {len(data)} bytes; at most {limits.size} are accepted")
    if len(data) > limits.tags and data.count(b"<") > limits.tags:
        raise XMLRefused(f"the XML document has more than {limits.tags} tags")
    keeps = bool(comments_kept_in) and _may_hold_comments(data)
    try:
        root = etree.fromstring(data, _make_parser(encoding, keeps=True) if keeps else _parser(encoding))
    except etree.XMLSyntaxError as error:
        raise XMLRefused(f"not well-formed XML: {error.msg}") from None
    except (LookupError, ValueError):
        raise XMLRefused(f"the character encoding {encoding!r} is not known") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XMLRefused("the document has a document type declaration (DTD), which SOAP 1.2 Part 1, section 5 forbids")
    _refuse_deep_or_wide(root, data, limits)
    if keeps:
        _drop_comments(root, comments_kept_in)
    return root


def schema(path: Path) -> etree.XMLSchema:
    """Load an XSD with the files that it includes; only for files that we or our operator put there."""
    return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True, resolve_entities=False)))


def serialize(element: _Element) -> bytes:
    """Spell an element as UTF-8 without XML declaration and tail; namespaces in scope are declared on it."""
    return etree.tostring(element, encoding="utf-8", with_tail=False).removeprefix(_DECLARATION)


def escape(text: str) -> bytes:
    """Spell text as UTF-8 fit for element content and for a double-quoted attribute.

    White space other than blanks is written as a reference and so survives attribute normalisation. Characters that XML
    cannot hold become U+FFFD: an answer that quotes its request must still be well-formed.
    """
    if _ILLEGAL.search(text):
        text = _ILLEGAL.sub("\ufffd", text)
    if _SPECIAL.search(text):
        text = text.translate(_REFERENCES)
    return text.encode()


_DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"
_COMMENT_MARKS = tuple(mark.encode(code) for mark in ("<!--", "<?") for code in ("utf-8", "utf-16-le", "utf-16-be"))
"""What a comment or a processing instruction begins with; an XML declaration does, too, but within the first bytes."""


def _may_hold_comments(data: bytes) -> bool:
    if b"!" not in data and data.find(b"?", 5) < 0:  # one byte is found ten times as fast as several
        return False
    for mark in _COMMENT_MARKS:  # noqa: SIM110 (a generator costs a call for each)
        if data.find(mark, 5) > 0:
            return True
    return False


def _parser(encoding: str | None) -> etree.XMLParser:
    """One parser per thread for the usual encodings: lxml locks a parser while it works."""
    if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
        return _make_parser(encoding)
    kept = "declared" if encoding is None else "utf_8"
    parser: etree.XMLParser | None = getattr(_PARSERS, kept, None)
    if parser is None:
        parser = _make_parser(encoding)
        setattr(_PARSERS, kept, parser)
    return parser


def _make_parser(encoding: str | None, *, keeps: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=not keeps,
        remove_pis=not keeps,
    )


def _drop_comments(root: _Element, kept_in: tuple[str, ...]) -> None:
    """Take the comments and processing instructions out of the tree that stand in none of the elements ``kept_in``."""
    for node in list(root.iter(etree.Comment, etree.ProcessingInstruction)):
        if not any(above.tag in kept_in for above in node.iterancestors()):
            _cut(node)


def _cut(node: _Element) -> None:
    """Remove a node and leave the text behind it where it is."""
    parent, before, tail = node.getparent(), node.getprevious(), node.tail or ""
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    node.tail = None
    parent.remove(node)


@lru_cache(maxsize=16)
def _xpath(expression: str) -> etree.XPath:
    """An expression, compiled once: those of limits take longer to compile than to answer."""
    return etree.XPath(expression)


def _refuse_deep_or_wide(root: _Element, data: bytes, limits: XMLLimits) -> None:
    # Counting bytes is a hundred times cheaper than visiting elements, and bounds what the visit could find.
    if data.count(b"=") > limits.attributes and _xpath(f"boolean(//*/@*[{limits.attributes + 1}])")(root):
        raise XMLRefused(f"an element has more than {limits.attributes} attributes")
    if data.count(b"</") > limits.depth and _xpath("boolean(" + "/*" * (limits.depth + 1) + ")")(root):
        raise XMLRefused(f"elements are nested deeper than {limits.depth} levels")
