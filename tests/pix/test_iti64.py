"""Notify XAD-PID Link Change: the index moves the id, the registry follows in the same transaction (ITI TF-2: 3.64)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from affinity.dispatch import answer
from hl7v2.er7 import parse
from ihe.exchange import Exchange
from ihe.patients import LinkChange
from ihe.transactions import Actor
from pix.iti64 import ITI_64
from pix.manager import PatientIndex
from pix.model import Origin
from pix.stewardship import Stewardship
from tests.pix.scene import MATRICULE, Scene, person
from tests.pix.ward import verdict

A43 = (
    "MSH|^~\\&|{sender}|STATE|AFFINITY|AFFINITY|2026||ADT^A43^ADT_A43|{control}|P|2.5\rEVN||2026\r"
    "PID|||{pid}|| \rMRG|{mrg}\r"
)
NEW, OLD, LOCAL = "2^^^&2.25.999.1&ISO", "1^^^&2.25.999.1&ISO", "7^^^&2.25.999.2&ISO"


@dataclass
class FakeRegistry:
    """A registry that notes what it is told, or cannot follow."""

    patients: PatientIndex
    told: list[LinkChange] = field(default_factory=list)
    broken: bool = False

    def follow(self, connection: Connection, change: LinkChange) -> None:
        if self.broken:
            raise RuntimeError("no")
        self.told.append(change)


@pytest.fixture
def registry(index: PatientIndex) -> FakeRegistry:
    return FakeRegistry(index)


Change = Callable[..., tuple[str, ...]]


@pytest.fixture
def change(registry: FakeRegistry) -> Change:
    """Send an A43; MSA-1 and the errors."""

    def send(
        pid: str = f"{NEW}~{LOCAL}", mrg: str = OLD, sender: str = "2.25.77", control: str = ""
    ) -> tuple[str, ...]:
        message = parse(A43.format(pid=pid, mrg=mrg, sender=sender, control=control or secrets.token_hex(6)).encode())
        exchange = Exchange(correlation_id=secrets.token_hex(8), received_at=datetime.now(UTC))
        ports: dict[Actor, Any] = {Actor.DOCUMENT_REGISTRY: registry}
        reply = answer(ITI_64, message, ports, exchange)
        return verdict(parse(reply) if isinstance(reply, bytes) else reply)

    return send


def test_the_local_id_goes_to_the_other_patient(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2", who=person("Berta"))
    assert change() == ("AA",)
    assert (scene.others("HOSP:1"), scene.others("HOSP:2")) == ([], ["CLINIC:7"])
    (told,) = registry.told
    assert (told.previous.id.id, told.new.id.id, told.local.id, told.source_id) == ("1", "2", "7", "2.25.77")


def test_what_is_fed_again_does_not_bring_it_back(scene: Scene, change: Change) -> None:
    scene.feed("HOSP:1", "CLINIC:7", "LAB:5", source="LIS|LABO")
    scene.feed("HOSP:2")
    change()
    assert scene.others("HOSP:1") == ["LAB:5"]
    scene.feed("CLINIC:7", "LAB:5", source="LIS|LABO")
    scene.feed("HOSP:1", "CLINIC:7")
    assert (scene.others("HOSP:1"), scene.others("HOSP:2")) == (["LAB:5"], ["CLINIC:7"])


def test_a_shared_national_id_does_not_bring_it_back(scene: Scene, change: Change) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2")
    assert scene.others("CLINIC:7") == ["HOSP:1", f"NAT:{MATRICULE}"]
    change()
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others("HOSP:2") == ["CLINIC:7", f"NAT:{MATRICULE}"]


def test_it_moves_back_and_others_follow(scene: Scene, change: Change) -> None:
    scene.feed("HOSP:1", "CLINIC:7", "CLINIC:8")
    scene.feed("HOSP:2")
    assert change() == ("AA",)
    assert change(f"{NEW}~8^^^CLINIC&2.25.999.2&ISO") == ("AA",)
    assert scene.others("HOSP:2") == ["CLINIC:7", "CLINIC:8"]
    assert change(f"{OLD}~{LOCAL}", NEW) == ("AA",)
    assert (scene.others("HOSP:1"), scene.others("HOSP:2")) == (["CLINIC:7"], ["CLINIC:8"])


def test_a_record_keeps_its_key(scene: Scene, change: Change) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    key = scene.keys("CLINIC:7")
    change()
    assert scene.keys("CLINIC:7") == key
    assert "declared" in scene.events()


def test_a_local_id_that_nobody_fed_is_remembered(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    assert change() == ("AA",)
    assert len(registry.told) == 1
    assert scene.others("CLINIC:7") is None
    scene.feed("CLINIC:7")
    assert scene.others("HOSP:2") == ["CLINIC:7"]


def test_a_merge_of_local_ids_alone(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("CLINIC:8")
    assert change(f"{OLD}~{LOCAL}", f"{OLD}~8^^^CLINIC") == ("AA",)
    assert scene.others("CLINIC:8") is None
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    (told,) = registry.told
    assert (told.previous, told.subsumed is not None and told.subsumed.id) == (told.new, "8")


def test_earlier_ids_of_the_local_patient_are_told_unless_another_has_them_now(
    scene: Scene, change: Change, registry: FakeRegistry
) -> None:
    scene.feed("HOSP:2")
    scene.feed("HOSP:1", "CLINIC:5")
    for merged in ("CLINIC:6", "CLINIC:8"):
        scene.feed(merged)
    scene.change("CLINIC:5", "CLINIC:7")
    scene.merge("CLINIC:8", "CLINIC:7")
    scene.change("CLINIC:6", "CLINIC:9")
    scene.merge("CLINIC:9", "CLINIC:7")
    scene.feed("CLINIC:6", who=person("Marc", "Schmit", "19991231"))
    assert change() == ("AA",)
    (told,) = registry.told
    assert [each.id for each in told.earlier] == ["5", "8", "9"]


def test_index_and_registry_change_together_or_not_at_all(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    registry.broken = True
    with pytest.raises(RuntimeError):
        change()
    assert scene.others("HOSP:1") == ["CLINIC:7"]


def test_a_message_sent_again_changes_nothing(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    assert change(control="X") == change(control="X") == ("AA",)
    assert len(registry.told) == 1


def test_a_sender_without_an_oid_is_no_source(scene: Scene, change: Change, registry: FakeRegistry) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    change(sender="PIXM")
    assert registry.told[0].source_id is None


@pytest.mark.parametrize(
    ("pid", "mrg", "expected"),
    [
        (NEW, OLD, ("AE", "PID^1^3^2 101")),
        ("", OLD, ("AE", "PID^1^3 101")),
        (f"{NEW}~{LOCAL}", "", ("AE", "MRG^1^1 101")),
        (f"{NEW}~{LOCAL}~9^^^CLINIC", OLD, ("AE", "PID^1^3^3 100")),
        (f"{LOCAL}~{NEW}", OLD, ("AE", "PID^1^3^1^4 204", "MRG^1^1^1^4 204")),
        (f"{NEW}~{LOCAL}", LOCAL, ("AE", "MRG^1^1^1^4 204")),
        (f"{NEW}~{LOCAL}", f"{OLD}~9^^^HOSP", ("AE", "MRG^1^1^2^4 204")),
        (f"{NEW}~7^^^NOBODY", OLD, ("AE", "PID^1^3^2^4 204")),
        (f"404^^^HOSP~{LOCAL}", OLD, ("AE", "PID^1^3^1^1 204")),
        (f"{NEW}~{LOCAL}", "404^^^HOSP", ("AE", "MRG^1^1^1^1 204")),
        (f"{NEW}~{LOCAL}", f"{OLD}~{LOCAL}", ("AE", "MRG^1^1^2^1 205")),
    ],
)
def test_changes_that_cannot_be(
    scene: Scene, change: Change, registry: FakeRegistry, pid: str, mrg: str, expected: tuple[str, ...]
) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2", who=person("Berta"))
    assert change(pid, mrg) == expected
    assert registry.told == []
    assert scene.others("HOSP:1") == ["CLINIC:7"]


def test_a_merged_xad_pid_is_not_in_use_any_more(scene: Scene, change: Change) -> None:
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2")
    scene.feed("HOSP:3")
    scene.merge("HOSP:2", "HOSP:3")
    assert change() == ("AE", "PID^1^3^1^1 204")


def test_what_a_steward_decided_is_not_moved(
    scene: Scene, change: Change, registry: FakeRegistry, origin: Callable[..., Origin]
) -> None:
    """Neither in the index nor in the registry: documents would go where the id does not."""
    scene.feed("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:2", who=person("Berta"))
    stewardship = Stewardship(index=scene.index)
    stewardship.declare(scene.id("CLINIC:7"), scene.id("HOSP:2"), origin("steward|anna"), same=False)
    assert change()[:1] == ("AR",)
    assert registry.told == []
    assert scene.others("HOSP:1") == ["CLINIC:7"]
