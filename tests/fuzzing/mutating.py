"""Bytes near good messages: pieces of them cut out, doubled, moved, swapped with others', or replaced by what hurts."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing.hurtful import HURTFUL
from tests.fuzzing.targets import Target

CUTS = re.compile(rb"(?=[<>|^~&,;\r\n\"' ])|(?<=[<>|^~&,;\r\n\"' =])")
"""Where a message has its joints."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The shortest bytes found on which a target raises what it does not declare."""

    data: bytes
    error: Exception


@st.composite
def mutants(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A good message with one to six changes."""
    pieces = CUTS.split(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(pieces) - 1))
        change = draw(st.integers(0, 4))
        if change == 0:
            pieces[at] = draw(st.sampled_from(HURTFUL) | st.binary(max_size=4))
        elif change == 1:
            del pieces[at : at + draw(st.integers(1, 12))]
        elif change == 2:
            pieces[at:at] = pieces[at : at + draw(st.integers(1, 12))] * draw(st.integers(1, 3))
        elif change == 3:
            other = CUTS.split(draw(st.sampled_from(seeds)))
            taken = draw(st.integers(0, len(other) - 1))
            pieces[at : at + draw(st.integers(0, 3))] = other[taken : taken + draw(st.integers(1, 12))]
        else:
            there = draw(st.integers(0, len(pieces) - 1))
            pieces[at], pieces[there] = pieces[there], pieces[at]
        pieces = pieces or [b""]
    return b"".join(pieces)


def attempt(target: Target, data: bytes) -> None:
    """Run a target; what it declares is no crash."""
    try:
        target.run(data)
    except target.refusals:
        return


def search(target: Target, more: Callable[[], bool], profile: settings) -> Crash | None:
    """Try mutants as long as there is ``more`` time; the shrunk crash, if there is one."""
    last = b""

    @settings(profile)
    @given(mutants(target.seeds) | target.grown)
    def tried(data: bytes) -> None:
        nonlocal last
        last = data
        attempt(target, data)

    while more():
        try:
            tried()
        except Exception as error:  # what is looked for: its reproducer is the last one tried, and the shortest
            return Crash(last, error)
    return None
