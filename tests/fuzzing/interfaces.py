"""The interfaces in JSON, and files of patients, as functions of bytes: a request is its line, then its body."""

import json
from dataclasses import dataclass

from affinity.audit_fhir import AuditRecordRepository
from affinity.audit_fhir_calls import FHIRCall
from affinity.bulk.formats import Format
from affinity.bulk.line import Unreadable
from affinity.bulk.reading import prepare
from affinity.consent_api import ConsentAPI
from affinity.node import Node
from affinity.stewardship.access import Stewards, digest
from affinity.stewardship.calls import Call
from affinity.stewardship.routes import StewardshipAPI
from atna.fhir_xml import xml
from ihe.transactions import Actor
from tests.xua.stage import NOW

TOKEN = "fuzzing"
STEWARDS = Stewards(digests={"anna": digest(TOKEN)})
BEARER, HERE = f"Bearer {TOKEN}", "127.0.0.1"
SOURCE = "HIS|HOSP"


@dataclass(frozen=True)
class Asked:
    """A request as it comes out of HTTP: bytes of the target are characters of ISO 8859-1, those of the path UTF-8."""

    method: str
    path: tuple[str, ...]
    query: str
    body: bytes


def read(data: bytes) -> Asked:
    """``GET tasks?limit=1``, then the body in the lines that follow."""
    line, _, body = data.partition(b"\n")
    method, _, target = line.partition(b" ")
    path, _, query = target.partition(b"?")
    places = tuple(each.decode("utf-8", "replace") for each in path.split(b"/") if each)
    return Asked(method.decode("latin-1"), places, query.decode("latin-1"), body)


class Interfaces:
    """Those of one node, with a token that is known."""

    def __init__(self, node: Node) -> None:
        index = node.ports[Actor.PIX_MANAGER]
        self._stewardship = StewardshipAPI(index=index, stewards=STEWARDS)
        self._accesses = ConsentAPI(index=index, trail=node.trail, stewards=STEWARDS, clock=lambda: NOW)
        self._audit = AuditRecordRepository(
            database=node.database, trail=node.trail, consumers=STEWARDS, clock=lambda: NOW, url="https://x/fhir"
        )
        self._domain = node.domain

    @property
    def task(self) -> int:
        """The number, and the version, of the first task that waits."""
        first = self._stewardship(_call(b"GET tasks\n")).content["tasks"][0]
        assert first["number"] == first["version"]
        return int(first["number"])

    def steward(self, data: bytes) -> None:
        """A request below /pix/stewardship, to the bytes of its answer."""
        json.dumps(self._stewardship(_call(data)).content, ensure_ascii=False).encode()

    def show_accesses(self, data: bytes) -> None:
        """A request below /consent, likewise."""
        json.dumps(self._accesses(_call(data)).content, ensure_ascii=False).encode()

    def audit(self, data: bytes) -> None:
        """A request below /fhir, to the bytes of its answer in the format that is asked for."""
        asked = read(data)
        given = {"method": asked.method, "path": asked.path, "query": asked.query, "content": asked.body}
        reply = self._audit(
            FHIRCall(**given, authorization=BEARER, content_type="application/fhir+json", peer=HERE)  # type: ignore[arg-type]
        )
        _ = xml(reply.resource) if reply.in_xml else json.dumps(reply.resource, ensure_ascii=False).encode()

    def load_csv(self, data: bytes) -> None:
        """A header and lines of CSV."""
        first, *lines = data.split(b"\n")
        self._load(Format.CSV, first.decode("utf-8", "replace"), lines)

    def load_fhir(self, data: bytes) -> None:
        """Lines of FHIR Patients."""
        self._load(Format.FHIR, "", data.split(b"\n"))

    def _load(self, format: Format, first: str, lines: list[bytes]) -> None:
        try:
            reader = format.reader(first, self._domain)
        except Unreadable:
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                prepare(number, line, reader, SOURCE)


def _call(data: bytes) -> Call:
    asked = read(data)
    return Call(
        method=asked.method,
        path=asked.path,
        query=asked.query,
        authorization=BEARER,
        content_type="application/json",
        content=asked.body,
        peer=HERE,
    )
