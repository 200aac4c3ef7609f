"""The requests of a day: about patients who have documents, as few and as many as patients have them."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from affinity.client import hl7
from affinity.client.hl7 import Route
from affinity.client.patients import Sought
from benchmarks import load, messages, questions
from benchmarks.day.arrivals import arrivals
from benchmarks.day.open_loop import Due
from benchmarks.day.verdicts import Verdict, http_code, mllp_code
from hl7v2.er7 import serialize
from ihe.datatypes import CX
from mllp.framing import frame

DOCUMENT = 20_000
"""Bytes of a submitted document."""
SOAP = Verdict(load.HTTP, http_code)
SOAP_V3 = Verdict(questions.ANSWERED_V3, http_code)
V2 = Verdict(questions.ANSWERED, mllp_code)
VERDICTS: Mapping[str, Verdict] = {
    "ITI-18": SOAP,
    "ITI-9": V2,
    "ITI-21": V2,
    "ITI-47": SOAP_V3,
    "ADT": V2,
    "ITI-43": SOAP,
    "ITI-41": SOAP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is asked for: patients with the uniqueIds of their documents. ``header`` is sent with every SOAP request."""

    documents: Mapping[str, tuple[str, ...]]
    header: bytes = b""

    @property
    def patients(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(self.documents)


def schedule(cast: Cast, rate: float, seconds: float, seed: int) -> Iterator[Due]:
    """Every request of one client."""
    random = Random(f"requests {seed}")
    for at, kind in arrivals(rate, seconds, seed):
        verdict = VERDICTS[kind]
        door = "mllp" if verdict is V2 else "http"
        yield Due(at=at, kind=kind, door=door, request=_request(kind, cast, random), verdict=verdict)


def _request(kind: str, cast: Cast, random: Random) -> bytes:
    patient = random.choice(cast.patients)
    match kind:
        case "ITI-18":
            return messages.find_documents(patient, cast.header)
        case "ITI-9":
            return frame(serialize(hl7.pix_query(Route(), CX(patient, messages.RED))))
        case "ITI-21":
            sought = hl7.criteria(_sought(patient))
            return frame(serialize(hl7.demographics_query(Route(), sought, quantity=questions.PAGE)))
        case "ITI-47":
            return questions.v3_demographics(_sought(patient), cast.header)
        case "ADT":
            return messages.announcement(f"ADT-{uuid.uuid4().hex[:12]}")
        case "ITI-43":
            return messages.retrieve(random.choice(cast.documents[patient]), cast.header)
        case "ITI-41":
            return messages.provide(patient, [random.randbytes(DOCUMENT)], header=cast.header)
    raise KeyError(kind)


def _sought(patient: str) -> Sought:
    return Sought(id=CX(patient, messages.RED))
