"""JSON near good messages: members are taken away, doubled, moved, nested, or given values of other types."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.fuzzing.hurtful import HURTFUL, HURTFUL_TEXTS

Place = tuple[Any, Any]
"""A list or an object, and the index or the name of something in it."""
ODD: tuple[Any, ...] = (None, True, False, 0, -1, 10**30, 1.5, 1e300, [], {}, [[]], [None], {"": {}}, "\ud800", "\0")


@st.composite
def plain(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good message with one to six changes, spelled with escapes or without."""
    root = [json.loads(draw(st.sampled_from(seeds)))]
    for _ in range(draw(st.integers(1, 6))):
        _change(draw, draw(st.sampled_from(list(_places(root)))), root)
        if not root:
            return b""
    whole = root[0] if draw(st.integers(0, 20)) else root
    return json.dumps(whole, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[Place]:
    keys = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _change(draw: st.DrawFn, place: Place, root: list[Any]) -> None:
    holder, key = place
    match draw(st.integers(0, 5)):
        case 0:
            del holder[key]
        case 1:
            holder[key] = deepcopy(draw(st.sampled_from(ODD) | st.sampled_from(HURTFUL_TEXTS)))
        case 2:
            other, name = draw(st.sampled_from(list(_places(root))))
            holder[key] = deepcopy(other[name])
        case 3:
            holder[key] = [holder[key]] * draw(st.integers(1, 3))
        case 4:
            holder[key] = {str(draw(st.sampled_from(("", "extension", "value", "id", key)))): holder[key]}
        case _:
            _insert(draw, holder, key)


def _insert(draw: st.DrawFn, holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
    else:
        added = draw(st.sampled_from(("_" + str(key), str(key).upper(), "modifierExtension", "extension", "id", "")))
        holder[added] = deepcopy(draw(st.sampled_from((holder[key], *ODD))))


@st.composite
def requests(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A request with another method, other values of its parameters, or another body."""
    line, _, body = draw(st.sampled_from(seeds)).partition(b"\n")
    if draw(st.integers(0, 3)) == 0:
        pieces = re.split(rb"(?<=[ ?&=/])", line)
        for _ in range(draw(st.integers(1, 3))):
            place = draw(st.integers(0, len(pieces) - 1))
            pieces[place] = draw(st.sampled_from((pieces[place] * 2, *map(_escaped, HURTFUL)))) + pieces[place][-1:]
        line = b"".join(pieces)
    if draw(st.integers(0, 40)) == 0:
        line += b"&a=b" * 300
    return line + b"\n" + (draw(plain((body,))) if body else b"")


def _escaped(data: bytes) -> bytes:
    """As a client spells it in a URL."""
    return quote(data).encode()
