"""How a content model is written: ``id:II+ (a:A | b:B)? c:C~*`` (name, type, ``~`` may be nil, occurrence).

Elements stand in the order in which they come. ``?``, ``*``, ``+``, ``{m,n}`` are those of regular expressions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(r"\s*(?:([A-Za-z][\w.]*):([\w.]+|\*)(~?)|([(|)])|(\?|\*|\+|\{\d+,\d*\}))")


@dataclass(frozen=True, slots=True)
class Particle:
    """One element that a model names: the type of its content (``*``: not looked into), and whether it may be nil."""

    name: str
    type: str
    nillable: bool = False


@dataclass(frozen=True, slots=True)
class Occurs:
    """A node as often as ``least`` to ``most`` times; ``most`` None: without end."""

    node: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes one after another."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the nodes."""

    nodes: tuple["Node", ...]


Node = Particle | Occurs | Sequence | Choice
Token = re.Match[str]


class NotAModel(ValueError):
    """A content model is written wrongly: a fault of the tables, not of a message."""


def parse(text: str) -> Node:
    """The tree of a model. NotAModel where it cannot be read."""
    reader = _Reader(_tokens(text))
    node = reader.alternatives()
    if reader.token is not None:
        raise NotAModel(f"{text!r}: {reader.token[0]!r} is left over")
    return node


def _tokens(text: str) -> Iterator[Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        token = TOKEN.match(text, position)
        if token is None:
            raise NotAModel(f"{text!r}: cannot be read from {text[position : position + 20]!r}")
        yield token
        position = token.end()


class _Reader:
    """Recursive descent over the tokens; ``token`` is the next one."""

    def __init__(self, tokens: Iterator[Token]) -> None:
        self._tokens = tokens
        self.token = next(tokens, None)

    def _take(self) -> Token:
        token = self.token
        if token is None:
            raise NotAModel("a content model ends too early")
        self.token = next(self._tokens, None)
        return token

    def alternatives(self) -> Node:
        nodes = [self._sequence()]
        while self.token is not None and self.token[4] == "|":
            self._take()
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))

    def _sequence(self) -> Node:
        nodes = []
        while self.token is not None and (self.token[1] or self.token[4] == "("):
            nodes.append(self._counted(self._item()))
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def _item(self) -> Node:
        token = self._take()
        if token[1]:
            return Particle(token[1], token[2], bool(token[3]))
        inner = self.alternatives()
        if self._take()[4] != ")":
            raise NotAModel("a parenthesis is not closed")
        return inner

    def _counted(self, node: Node) -> Node:
        if self.token is None or not self.token[5]:
            return node
        suffix = self._take()[5]
        if suffix in COUNTS:
            return Occurs(node, *COUNTS[suffix])
        least, most = suffix.strip("{}").split(",")
        return Occurs(node, int(least), int(most) if most else None)


COUNTS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
