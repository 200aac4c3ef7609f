"""Mutants of genuine messages, and the oracle: what is accepted says exactly what was signed.

``python -m tests.xua.mutants 100000`` tries that many and says what became of them; a seed may follow. The generator is
seeded, so that a failure can be repeated by its number. The suite tries some thousands.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from lxml.etree import _Element

from ihe.exchange import Principal
from soap.xml import XMLRefused, parse, serialize
from tests.xua.stage import AUDIENCE, ISSUER, NOW, Stage, make_certificate
from xua.errors import AssertionRefused
from xua.names import DS, SAML, SOAP, WSSE
from xua.people import DemoRole
from xua.sts import DevelopmentSTS
from xua.trust import TrustedIssuer, TrustStore
from xua.verifier import Verifier

SEED = 20310504

Mutation = Callable[[Random, _Element, _Element], None]

FRAGMENTS = [
    b"<!--x-->",
    b"<?x y?>",
    b" ",
    b"\n",
    b"&#0;",
    b"&amp;",
    b"<x/>",
    b"</x>",
    b'ID="_1" ',
    b'Id="_1" ',
    b"<![CDATA[x]]>",
    b"\xc3\xa9",
    b"\xff",
    b'xmlns:saml2="urn:x" ',
    f'xmlns:ds="{SAML}" '.encode(),
    f'<saml2:Assertion xmlns:saml2="{SAML}"/>'.encode(),
    f'<ds:Object xmlns:ds="{DS}"/>'.encode(),
]
TEXTS = ["", " ", "the.administrator", "2099-01-01T00:00:00Z", "#", "urn:x", "AAAA", "2.0", "true"]
NAMES = ["ID", "Id", "URI", "Algorithm", "Name", "NotOnOrAfter", "Method", "code", "codeSystem", "x"]
TAGS = [
    f"{{{namespace}}}{name}"
    for namespace, names in (
        (SAML, ("Assertion", "Subject", "NameID", "Attribute", "AttributeValue", "Conditions", "Advice")),
        (DS, ("Signature", "Object", "Reference", "Transform", "KeyInfo")),
        (SOAP, ("Header", "Body")),
        (WSSE, ("Security",)),
    )
    for name in names
]


def pick(random: Random, root: _Element) -> _Element:
    return random.choice(list(root.iter(etree.Element)))


def flip(random: Random, message: bytes, other: bytes) -> bytes:
    place = random.randrange(len(message))
    return message[:place] + bytes([random.randrange(256)]) + message[place + 1 :]


def cut(random: Random, message: bytes, other: bytes) -> bytes:
    start = random.randrange(len(message))
    return message[:start] + message[start + random.randrange(40) :]


def repeat(random: Random, message: bytes, other: bytes) -> bytes:
    start = random.randrange(len(message))
    end = start + random.randrange(200)
    return message[:end] + message[start:end] + message[end:]


def insert(random: Random, message: bytes, other: bytes) -> bytes:
    mark = random.choice([b"<", b">", b" ", b'"'])
    places = [place for place in range(len(message)) if message[place : place + 1] == mark]
    place = random.choice(places) + random.randrange(2)
    return message[:place] + random.choice(FRAGMENTS) + message[place:]


def cross(random: Random, message: bytes, other: bytes) -> bytes:
    start = random.randrange(len(message))
    end = start + random.randrange(300)
    return message[:start] + other[start:end] + message[end:]


def delete_element(random: Random, root: _Element, other: _Element) -> None:
    victim = pick(random, root)
    parent = victim.getparent()
    if parent is not None:
        parent.remove(victim)


def copy_element(random: Random, root: _Element, other: _Element) -> None:
    target = pick(random, root)
    target.insert(random.randrange(len(target) + 1), deepcopy(pick(random, root)))


def take_element(random: Random, root: _Element, other: _Element) -> None:
    target = pick(random, root)
    target.insert(random.randrange(len(target) + 1), deepcopy(pick(random, other)))


def swap_in_element(random: Random, root: _Element, other: _Element) -> None:
    victim = pick(random, root)
    parent = victim.getparent()
    namesakes = list(other.iter(victim.tag))
    if parent is not None and namesakes:
        parent.replace(victim, deepcopy(random.choice(namesakes)))


def move_element(random: Random, root: _Element, other: _Element) -> None:
    mover, target = pick(random, root), pick(random, root)
    if mover is not root and mover not in [target, *target.iterancestors()]:
        target.insert(random.randrange(len(target) + 1), mover)


def wrap_element(random: Random, root: _Element, other: _Element) -> None:
    inner = pick(random, root)
    parent = inner.getparent()
    if parent is not None:
        wrapper = etree.Element(random.choice(TAGS))
        parent.replace(inner, wrapper)
        wrapper.append(inner)


def rename_element(random: Random, root: _Element, other: _Element) -> None:
    pick(random, root).tag = random.choice(TAGS)


def set_attribute(random: Random, root: _Element, other: _Element) -> None:
    element = pick(random, root)
    names = [str(name) for name in element.attrib] + NAMES
    element.set(
        random.choice(names),
        random.choice([*TEXTS, *(found.get("ID", "") for found in root.iter(f"{{{SAML}}}Assertion"))]),
    )


def drop_attribute(random: Random, root: _Element, other: _Element) -> None:
    element = pick(random, root)
    if element.attrib:
        del element.attrib[random.choice(list(element.attrib))]


def set_text(random: Random, root: _Element, other: _Element) -> None:
    pick(random, root).text = random.choice([*TEXTS, pick(random, other).text or ""])


def set_tail(random: Random, root: _Element, other: _Element) -> None:
    pick(random, root).tail = random.choice(TEXTS)


def add_body(random: Random, root: _Element, other: _Element) -> None:
    """A change outside the assertion, which must not matter."""
    root[-1].text = random.choice(TEXTS)


BYTE_MUTATIONS = (flip, cut, repeat, insert, cross)
TREE_MUTATIONS: tuple[Mutation, ...] = (
    delete_element,
    copy_element,
    take_element,
    swap_in_element,
    move_element,
    wrap_element,
    rename_element,
    set_attribute,
    drop_attribute,
    set_text,
    set_tail,
    add_body,
)


def mutate_tree(random: Random, message: bytes, other: bytes) -> bytes:
    root, foreign = parse(message), parse(other)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        random.choice(TREE_MUTATIONS)(random, root, foreign)
    return serialize(root)


def mutate_bytes(random: Random, message: bytes, other: bytes) -> bytes:
    return random.choice(BYTE_MUTATIONS)(random, message, other)


Mutate = Callable[[Random, bytes, bytes], bytes]
MUTATIONS: tuple[Mutate, ...] = (mutate_bytes, mutate_tree)


@dataclass
class Outcome:
    """What became of the mutants: ``wrong`` says what nobody signed, and must stay empty."""

    accepted: list[bytes] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, bytes]] = field(default_factory=list)


def mutants(stage: Stage, mutate: Mutate, count: int, seed: int = SEED) -> Iterator[tuple[int, bytes]]:
    """Numbered mutants of a patient's and a doctor's message."""
    random = Random(seed)
    genuine = genuine_messages(stage)
    for number in range(count):
        yield number, mutate(random, *random.sample(genuine, 2))


def genuine_messages(stage: Stage) -> list[bytes]:
    """What two people really send; tokens of the same two for one stage."""
    if stage not in _GENUINE:
        _GENUINE[stage] = [
            stage.message(stage.issue(role), body=b"<q/>") for role in (DemoRole.PATIENT, DemoRole.TREATING_DOCTOR)
        ]
    return _GENUINE[stage]


_GENUINE: dict[Stage, list[bytes]] = {}


def judge(stage: Stage, mutate: Mutate, count: int, seed: int = SEED) -> Outcome:
    """Show every mutant to the verifier and compare whom it believes with whom the issuer named."""
    outcome = Outcome()
    signed: set[Principal] = {stage.verify(message) for message in genuine_messages(stage)}
    for number, message in mutants(stage, mutate, count, seed):
        try:
            believed = stage.verify(message)
        except XMLRefused:
            outcome.refused["the parser"] += 1
        except AssertionRefused as refused:
            outcome.refused[refused.subcode.name] += 1
        else:
            outcome.accepted.append(message)
            if believed not in signed:
                outcome.wrong.append((number, message))
    return outcome


def main(count: int, seed: int) -> int:
    """Half of the mutants by bytes, half by elements; 1 if one of them was believed to be somebody else."""
    key = rsa.generate_private_key(65537, 2048)
    certificate = make_certificate(key)
    trust = TrustStore([TrustedIssuer(entity_id=ISSUER, certificates=(certificate,))])
    stage = Stage(DevelopmentSTS(ISSUER, key, certificate), trust, Verifier(trust, [AUDIENCE]), NOW)
    wrong = 0
    for mutate in MUTATIONS:
        started, tried = perf_counter(), count // len(MUTATIONS)
        outcome = judge(stage, mutate, tried, seed)
        told = ", ".join(f"{code} {number}" for code, number in outcome.refused.most_common())
        print(f"{mutate.__name__}, seed {seed}: {tried} in {perf_counter() - started:.0f} s; refused: {told}")
        print(f"  accepted {len(outcome.accepted)}, as somebody else {len(outcome.wrong)}")
        for number, message in outcome.wrong:
            print(f"  {number}: {message!r}")
        wrong += len(outcome.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED))
