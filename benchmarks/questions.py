"""The questions and feeds of ``growth`` as bytes, each kind with how its answer is known to be good."""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from affinity.client import hl7, v3
from affinity.client.hl7 import Route
from affinity.client.patients import Sought
from benchmarks import load, messages
from benchmarks.bulk import strangers_of
from benchmarks.load import Dialogue
from benchmarks.sampling import Sample
from hl7v2.compose import FieldValue, compose, segment
from hl7v2.er7 import serialize
from hl7v2.message import Message
from ihe.datatypes import CX, HD
from mllp.framing import frame
from pix.iti47 import ITI_47
from pix.model import Demographics
from pix.pid import write_pid
from pix.snapshot import demographics_of

PDQ = "/pdq"
PAGE = 20
"""Patients that a client wants at once; the rest is kept for the next page."""
ANSWERED = Dialogue(load.whole_mllp, b"|AA|")
ANSWERED_V3 = Dialogue(load.whole_http, b'"AA"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Requests of one kind; ``port`` is the name of the listener that they go to."""

    name: str
    port: str
    requests: tuple[bytes, ...]
    dialogue: Dialogue


def questions(sample: Sample, count: int) -> Iterator[Questions]:
    """Every kind."""
    ids = sample.ids(count)
    yield _v2("ITI-9", (hl7.pix_query(Route(), each.id) for each in ids if each.id))
    kinds = {
        "ITI-21 id": ids,
        "ITI-21 family, given, birth": sample.people(count),
        "ITI-21 common family": sample.common_families(count),
        "ITI-21 common family, common given": sample.common_names(count),
        "ITI-21 fami*, giv*": sample.beginnings(count),
    }
    for name, sought in kinds.items():
        yield _v2(name, (hl7.demographics_query(Route(), hl7.criteria(each), quantity=PAGE) for each in sought))
    yield Questions(
        name="ITI-47 family, given, birth",
        port="http",
        requests=tuple(map(v3_demographics, sample.people(count))),
        dialogue=ANSWERED_V3,
    )


def strangers(data: Path) -> Iterator[bytes]:
    """ADT^A28 for people whom nobody fed before, each record of them in its own message."""
    with strangers_of(data).open() as lines:
        for line in lines:
            told = json.loads(line)
            ids = [CX(id, HD(authority), type_code) for authority, id, type_code in told["ids"]]
            yield _feed("A28", told["source"], ids, demographics_of(told["demographics"]))


def updates(sample: Sample, count: int) -> list[bytes]:
    """ADT^A31 that say of people what is known of them already, as a source does that sends everything every night."""
    return [_feed("A31", each.source, sample.all_ids(each), each.demographics) for each in sample.settled[:count]]


def _feed(event: str, source: str, ids: Iterable[CX], demographics: Demographics) -> bytes:
    application, _, facility = source.partition("|")
    header: dict[int, FieldValue] = {
        3: application,
        4: facility,
        5: "AFFINITY",
        6: "AFFINITY",
        7: "20260401120000+0000",
        9: ("ADT", event, "ADT_A05"),
        10: uuid.uuid4().hex[:20],
        11: "P",
        12: "2.5",
    }
    told = (segment("EVN", {2: "20260401120000+0000"}), write_pid(1, ids, demographics), segment("PV1", {2: "N"}))
    return frame(serialize(compose(header, told)))


def _v2(name: str, asked: Iterable[Message]) -> Questions:
    requests = tuple(frame(serialize(each)) for each in asked)
    return Questions(name=name, port="mllp", requests=requests, dialogue=ANSWERED)


def v3_demographics(sought: Sought, header: bytes = b"") -> bytes:
    """ITI-47 over HTTP."""
    body = v3.demographics_query(sought, v3.Devices(receiver=v3.OURSELVES), quantity=PAGE)
    return messages.asked(ITI_47, PDQ, body, header)
