"""A ward for the tests of encounters: short ways to send messages of ITI-31 and to look at what they made."""

from collections.abc import Callable
from itertools import count

from sqlalchemy import Connection

from hl7v2.message import Message
from ihe.domain import AssigningAuthority
from ihe.identifiers import PatientKey
from pix import store_encounters, store_records
from pix.encounters import Encounter
from pix.manager import PatientIndex
from pix.model import Identifier

Ask = Callable[[str], Message | None]
ROW = ("PV1", *([""] * 51))


def verdict(reply: Message | None) -> tuple[str, ...]:
    """MSA-1, then ERR-2 and ERR-3 of each error."""
    assert reply is not None
    return (reply["MSA"].text(1), *(f"{err.raw(2)} {err.text(3)}" for err in reply.all("ERR")))


class Ward:
    """Sends messages about visits, and tells how they stand."""

    def __init__(self, ask: Ask, index: PatientIndex) -> None:
        self._ask = ask
        self._index = index
        self._numbers = count(1)

    def send(
        self,
        event: str,
        visit: str = "V1^^^HOSP",
        *,
        patient: str = "1^^^HOSP",
        name: str = "Weber^Anna",
        account: str = "",
        zbe: str = "",
        more: str = "",
        source: str = "HIS|HOSP",
        at: str = "20261123080000",
        **fields: str,
    ) -> tuple[str, ...]:
        """Send an event; ``fields`` are fields of PV1 such as ``f3``. Returns MSA-1 and the errors."""
        said = {2: "I", 19: visit} | {int(number[1:]): text for number, text in fields.items()}
        pv1 = "|".join(("PV1", *(said.get(number, "") for number in range(1, 52)))).rstrip("|")
        segments = (
            f"MSH|^~\\&|{source}|AFFINITY|AFFINITY|{at}||ADT^{event}|W{next(self._numbers)}|P|2.5",
            f"EVN||{at}",
            f"PID|||{patient}||{name}||19800515|F||||||||||{account}",
            pv1,
            *([f"ZBE|{zbe}"] if zbe else ()),
            *([more] if more else ()),
        )
        return verdict(self._ask("\r".join(segments) + "\r"))

    def accounts(self, patient: str, prior: str, account: str) -> tuple[str, ...]:
        """Move an account from the patient ``prior`` to ``patient``: A44."""
        return verdict(
            self._ask(
                f"MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A44^ADT_A43|W{next(self._numbers)}|P|2.5\rEVN||2026\r"
                f"PID|||{patient}||Weber^Anna\rMRG|{prior}||{account}\r"
            )
        )

    def merge(self, patient: str, prior: str) -> tuple[str, ...]:
        """Merge ``prior`` into ``patient``: A40."""
        return verdict(
            self._ask(
                f"MSH|^~\\&|HIS|HOSP|A|A|2026||ADT^A40^ADT_A39|W{next(self._numbers)}|P|2.5\rEVN||2026\r"
                f"PID|||{patient}||Weber^Anna\rMRG|{prior}\r"
            )
        )

    def key(self, id: str) -> PatientKey | None:
        """The record of an id of the hospital."""
        hospital: AssigningAuthority = self._index.domain.assigning_authorities[0]
        identifier = Identifier(authority=hospital, id=id)
        return self._index.database.read(lambda connection: store_records.current_key(connection, identifier))

    def encounters(self, id: str = "1") -> tuple[Encounter, ...]:
        """The encounters of a patient of the hospital, as the access rules ask for them."""
        key = self.key(id)
        if key is None:
            return ()

        def work(connection: Connection) -> tuple[Encounter, ...]:
            keys = (key, *store_records.subsumed_by(connection, key))
            return store_encounters.encounters_of(connection, keys)

        return self._index.database.read(work)

    def standing(self, id: str = "1") -> list[str]:
        """``visit status class location`` of each encounter."""
        return [
            " ".join((each.visit.split("^")[0], each.status.value, each.patient_class, each.pv1.get(3, "-")))
            for each in self.encounters(id)
        ]
