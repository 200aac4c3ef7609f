"""Senders of queries beside a load: each is answered with what was acknowledged before, or told to ask later."""

import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from affinity.client import hl7, xds
from affinity.client.hl7 import Route
from affinity.domain import load as load_domain
from hl7v2.er7 import parse, serialize
from ihe.datatypes import CX
from mllp import client as mllp
from soap.client import FaultReceived, NoAnswer, SOAPAnswer
from tests.faults.load import LATER, Load, at_work
from tests.faults.sending import RED, REGISTRY_PATH, REPOSITORY_PATH, address, call
from xds.iti18 import ITI_18
from xds.iti43 import ITI_43
from xds.stored_queries import GET_DOCUMENTS

RIM = "{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}"
REPOSITORY = load_domain("connectathon").affinity_domain.repository_unique_id
PAUSE = 0.02
"""Seconds between two queries of one sender, who is not to keep those from working who change something."""


@dataclass
class Readers:
    """How often each query was answered, and how often its sender was told to ask again."""

    load: Load
    answered: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Senders at work; what one of them did not expect is raised at the end."""
        steps = {"ITI-9": self._find_patient, "ITI-18": self._find_document, "ITI-43": self._retrieve}
        with at_work([partial(self._repeat, name, step) for name, step in steps.items()], self._over):
            yield

    def _repeat(self, name: str, step: Callable[[], str | None]) -> None:
        while not self._over.wait(PAUSE):
            if not (self.load.patients and self.load.documents):
                continue
            try:
                told = step()
            except (OSError, NoAnswer, mllp.MLLPError) as error:
                told = type(error).__name__
            except FaultReceived as fault:
                assert "busy" in str(fault), fault
                told = "fault"
            self.told.update([told] if told else [])
            self.answered.update([] if told else [name])

    def _find_patient(self) -> str | None:
        wanted = CX(random.choice(self.load.patients), RED)
        answer = parse(mllp.send(address(self.load.node), serialize(hl7.pix_query(Route(), wanted))))
        if answer["MSA"].text(1) == "AA":
            return None
        # AE with 204 would be that the patient is not known.
        assert (answer["MSA"].text(1), answer["ERR"].text(3)) == ("AR", "206"), (wanted.id, serialize(answer))
        return "AR 206"

    def _find_document(self) -> str | None:
        wanted = random.choice(self.load.documents)
        slots = (("$XDSDocumentEntryUniqueId", (f"({xds.quoted(wanted)})",)),)
        answer = call(self.load.node, REGISTRY_PATH, ITI_18.bindings[0], xds.stored_query(GET_DOCUMENTS.id, slots))
        found = [each.get("value") for each in answer.body.iter(f"{RIM}ExternalIdentifier")]
        return _later(answer) or _sure(wanted in found, wanted)

    def _retrieve(self) -> str | None:
        wanted = random.choice(self.load.documents)
        with tempfile.TemporaryDirectory() as received:
            body = xds.retrieve([(REPOSITORY, wanted)])
            answer = call(self.load.node, REPOSITORY_PATH, ITI_43.bindings[0], body, received=Path(received))
            documents = [Path(part.spooled).read_bytes() for part in answer.parts.values()]
        return _later(answer) or _sure(documents == [self.load.content(wanted)], wanted)


def _later(answer: SOAPAnswer) -> str | None:
    """What its sender is told who may ask again; None where all went well."""
    codes = {str(each.get("errorCode")) for each in answer.body.iter() if each.get("errorCode")}
    assert codes <= LATER, [dict(each.attrib) for each in answer.body.iter() if each.get("errorCode")]
    return "busy" if codes else None


def _sure(is_there: bool, wanted: str) -> None:
    assert is_there, f"{wanted} was acknowledged and is not found"
