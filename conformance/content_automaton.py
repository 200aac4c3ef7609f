"""A content model as an automaton: which elements may come next, and what was left out before one.

A model of the XML schemas is deterministic: no name can mean two of its places at once. So each step is one look-up,
and a message is read in a time that grows with its length alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from conformance.content_notation import Choice, Node, Occurs, Particle, Sequence

START = -1
"""The state before the first element; any other state is the place in the model of the element read last."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """``places`` are the elements of the model; ``following`` the places that may come after a state, by name."""

    places: tuple[Particle, ...]
    following: Mapping[int, Mapping[str, int]]
    accepting: frozenset[int]

    def omitted(self, state: int, name: str | None) -> tuple[str, ...] | None:
        """The names left out if ``name`` (None: the end) comes in a state; None if it cannot come any more."""
        seen = {state}
        rows: list[tuple[int, tuple[str, ...]]] = [(state, ())]
        while rows:
            reached: list[tuple[int, tuple[str, ...]]] = []
            for at, path in rows:
                if (at in self.accepting) if name is None else (name in self.following[at]):
                    return path
                reached += [(to, (*path, step)) for step, to in self.following[at].items() if to not in seen]
                seen.update(self.following[at].values())
            rows = reached
        return None


@dataclass(slots=True)
class _Part:
    """Of a part of the model: whether it may be empty, its first and its last places."""

    empty: bool
    first: list[int]
    last: list[int]


@dataclass(slots=True)
class _Builder:
    places: list[Particle] = field(default_factory=list)
    following: dict[int, dict[str, int]] = field(default_factory=lambda: {START: {}})

    def link(self, froms: Iterable[int], tos: list[int]) -> None:
        for each in froms:
            for to in tos:
                self.following[each].setdefault(self.places[to].name, to)

    def build(self, node: Node) -> _Part:
        match node:
            case Particle():
                return self._place(node)
            case Sequence(nodes):
                return self._sequence(map(self.build, nodes))
            case Choice(nodes):
                return self._choice(map(self.build, nodes))
            case Occurs(inner, least, most):
                return self._occurs(inner, least, most)

    def _place(self, particle: Particle) -> _Part:
        place = len(self.places)
        self.places.append(particle)
        self.following[place] = {}
        return _Part(False, [place], [place])

    def _sequence(self, parts: Iterable[_Part]) -> _Part:
        whole = _Part(True, [], [])
        for part in parts:
            self.link(whole.last, part.first)
            whole.first += part.first if whole.empty else []
            whole.last = [*whole.last, *part.last] if part.empty else part.last
            whole.empty = whole.empty and part.empty
        return whole

    def _choice(self, parts: Iterable[_Part]) -> _Part:
        every = list(parts)
        first = [place for each in every for place in each.first]
        last = [place for each in every for place in each.last]
        return _Part(any(each.empty for each in every), first, last)

    def _occurs(self, inner: Node, least: int, most: int | None) -> _Part:
        if most is None:
            parts = [self.build(inner) for _ in range(max(least, 1))]
            self.link(parts[-1].last, parts[-1].first)
        else:
            parts = [self.build(inner) for _ in range(most)]
        for part in parts[least:]:
            part.empty = True
        return self._sequence(parts)


def automaton(model: Node) -> Automaton:
    """Build the automaton of a model."""
    builder = _Builder()
    whole = builder.build(model)
    builder.link([START], whole.first)
    accepting = frozenset((*whole.last, START) if whole.empty else whole.last)
    return Automaton(tuple(builder.places), builder.following, accepting)
