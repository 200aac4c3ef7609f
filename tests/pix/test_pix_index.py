"""The index itself, without messages: who is one person, what merges and links do, who may be joined."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from ihe.datatypes import CX, HD
from ihe.domain import AssigningAuthority
from ihe.errors import HL7ErrorCode, Rejected
from pix.event_log import lines
from pix.events import Remarked
from pix.manager import PatientIndex
from pix.matricule import complete
from pix.model import Demographics, Feed, Identifier, IdentifierList, Origin, PersonName
from pix.tables import link, record
from tests.pix.scene import ANNA, MATRICULE, OTHER_MATRICULE, Scene, person


def test_two_sources_with_the_same_national_id_are_one_person(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]
    assert scene.others(f"NAT:{MATRICULE}") == ["HOSP:1", "CLINIC:7"]


def test_a_national_id_with_wrong_check_digits_is_kept_but_links_nobody(scene: Scene) -> None:
    wrong = MATRICULE[:-1] + str((int(MATRICULE[-1]) + 1) % 10)
    scene.feed("HOSP:1", f"NAT:{wrong}")
    scene.feed("CLINIC:7", f"NAT:{wrong}")
    assert scene.others("HOSP:1") == []
    assert scene.events().count("remarked") == 2


@pytest.mark.parametrize(
    ("id", "remarks"),
    [
        (MATRICULE, []),
        (MATRICULE[:-1] + str((int(MATRICULE[-1]) + 1) % 10), ["national-id-invalid"]),
        ("19800515123", ["national-id-of-old-form"]),
        (complete("19810515123"), ["national-id-implausible"]),
    ],
)
def test_a_doubtful_national_id_is_remarked(scene: Scene, id: str, remarks: list[str]) -> None:
    scene.feed("HOSP:1", f"NAT:{id}")
    told = scene.index.database.read(lambda connection: [each.event for each in lines(connection)])
    assert [each.remark for each in told if isinstance(each, Remarked)] == remarks


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (person("Marc"), "given name, overlay"),
        (person("Anna", birth="19820716"), "birth date, overlay"),
        (person("", "Schmit"), "family name, overlay"),
    ],
)
def test_clear_disagreement_makes_a_task_instead_of_a_link(scene: Scene, other: Demographics, reason: str) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=other)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others(f"NAT:{MATRICULE}") == []
    assert scene.tasks() == [f"overlay: {reason}"]


@pytest.mark.parametrize(
    "other",
    [
        person("Ana"),
        person("Anna Maria"),
        person("anna", "Schmit"),
        person("Weber", "Anna"),
        person("Anna", birth="1980"),
        Demographics(names=(PersonName(family="Wéber"),)),
    ],
)
def test_spelling_marriage_swapped_and_vague_data_do_not_disagree(scene: Scene, other: Demographics) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=other)
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]


@pytest.mark.parametrize("birth", [None, "19000101"])
@pytest.mark.parametrize("given", ["Bébé", "RN"])
def test_a_newborn_under_its_mothers_number_is_not_its_mother(scene: Scene, given: str, birth: str | None) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=person(given, birth=birth))
    assert "CLINIC:7" not in (scene.others("HOSP:1") or [])
    assert scene.tasks() == ["overlay: placeholder given name, overlay"]


def test_a_vague_record_does_not_bridge_two_people(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=Demographics())
    scene.feed("HOSP:2", f"NAT:{MATRICULE}", who=person("Marc"))
    assert scene.others("HOSP:2") == [f"NAT:{MATRICULE}"]


def test_a_correction_lifts_the_veto_and_closes_the_task(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=person("Anna", birth="19800516"))
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", who=ANNA)
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]
    assert scene.tasks() == []


def test_another_national_id_moves_the_record_to_another_person(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{OTHER_MATRICULE}")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others("CLINIC:7") == [f"NAT:{OTHER_MATRICULE}"]


def test_a_complete_list_withdraws_the_national_id_a_partial_one_does_not(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7")
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]
    scene.feed("CLINIC:7", complete=IdentifierList.COMPLETE)
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others("CLINIC:7") == []


def test_two_valid_national_ids_of_one_record_link_nobody(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", f"NAT:{OTHER_MATRICULE}")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]


def test_ids_of_one_message_are_one_person(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5")
    scene.feed("CLINIC:7")
    scene.link("LAB:5", "CLINIC:7")
    assert scene.others("CLINIC:7") == ["HOSP:1", "LAB:5"]


def test_the_id_of_somebody_elses_record_is_not_joined(scene: Scene) -> None:
    scene.feed("LAB:5", who=person("Marc", "Thill", "19500101"), source="LIS|LABO")
    scene.feed("HOSP:1", "LAB:5")
    assert scene.others("HOSP:1") == []
    assert scene.tasks() == ["collision: two people in one message"]


def test_a_number_mistyped_by_the_same_source_joins_nobody(scene: Scene) -> None:
    scene.feed("LAB:4", "HOSP:77", who=person("Marc", "Thill", "19500101"))
    scene.feed("LAB:5", "HOSP:77")
    assert scene.others("LAB:5") == []
    assert scene.others("LAB:4") == ["HOSP:77"]
    assert scene.tasks() == ["collision: two people in one message"]


def test_a_source_corrects_all_ids_of_its_patient_together(scene: Scene) -> None:
    scene.feed("LAB:5", "HOSP:77", who=person("Anna", birth="19080515"))
    scene.feed("LAB:5", "HOSP:77")
    assert scene.others("LAB:5") == ["HOSP:77"]
    assert scene.tasks() == []


def test_a_correction_may_add_an_id(scene: Scene) -> None:
    scene.feed("HOSP:77", who=person("Anna", birth="19080515"))
    scene.feed("HOSP:77", "LAB:5")
    assert scene.others("LAB:5") == ["HOSP:77"]


def test_a_source_may_link_and_unlink(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7", who=person("Nanny", "Wagener"))
    scene.link("HOSP:1", "CLINIC:7")
    assert scene.others("HOSP:1") == ["CLINIC:7"]
    scene.unlink("CLINIC:7", "HOSP:1")
    assert scene.others("HOSP:1") == []


def test_an_unlinking_holds_against_a_common_national_id_and_later_feeds(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.unlink("HOSP:1", "CLINIC:7")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("HOSP:1", "CLINIC:7")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]


def test_unlinking_what_is_not_linked_does_nothing(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("CLINIC:7")
    scene.unlink("HOSP:1", "CLINIC:7")
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    assert scene.others("HOSP:1") == ["CLINIC:7", f"NAT:{MATRICULE}"]


def test_a_link_to_an_unknown_id_waits_for_its_feed(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.link("HOSP:1", "CLINIC:7")
    assert scene.others("HOSP:1") == []
    assert scene.others("CLINIC:7") is None
    scene.feed("CLINIC:7")
    assert scene.others("HOSP:1") == ["CLINIC:7"]


def test_a_merged_id_is_gone_and_the_survivor_has_its_links(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("HOSP:2")
    scene.merge("HOSP:1", "HOSP:2")
    assert scene.others("HOSP:1") is None
    assert scene.others("HOSP:2") == ["CLINIC:7", f"NAT:{MATRICULE}"]
    assert scene.others("CLINIC:7") == ["HOSP:2", f"NAT:{MATRICULE}"]


def test_merges_chain_and_the_registry_sees_all_keys(scene: Scene) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:3"):
        scene.feed(id)
    scene.merge("HOSP:1", "HOSP:2")
    scene.merge("HOSP:2", "HOSP:3")
    index = scene.index
    keys = index.database.read(lambda connection: list(connection.scalars(select(record.c.key).order_by(record.c.id))))
    cx = CX("3", HD("", scene.id("HOSP:3").authority.oid, "ISO"))
    resolve, current = index.resolve, index.current
    found = index.database.read(lambda connection: resolve(connection, cx))
    assert found is not None
    assert (found.key, sorted(found.keys), str(found.id)) == (keys[2], keys, str(cx))
    assert index.database.read(lambda connection: current(connection, keys)) == dict.fromkeys(keys, cx)
    gone = CX("1", cx.authority)
    assert index.database.read(lambda connection: resolve(connection, gone)) is None


def test_the_registry_knows_only_ids_that_may_be_xds_ids(scene: Scene) -> None:
    scene.feed("CLINIC:7")
    cx = CX("7", HD("", scene.id("CLINIC:7").authority.oid, "ISO"))
    assert scene.index.database.read(lambda connection: scene.index.resolve(connection, cx)) is None


@pytest.mark.parametrize(
    ("subsumed", "surviving", "code"),
    [
        ("HOSP:1", "HOSP:1", HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER),
        ("HOSP:1", "HOSP:404", HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER),
        ("HOSP:404", "HOSP:1", HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER),
        ("HOSP:gone", "HOSP:1", HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER),
        ("HOSP:1", "HOSP:gone", HL7ErrorCode.UNKNOWN_KEY_IDENTIFIER),
    ],
)
def test_a_merge_that_the_registry_refuses_changes_nothing(
    scene: Scene, subsumed: str, surviving: str, code: HL7ErrorCode
) -> None:
    for id in ("HOSP:1", "HOSP:2", "HOSP:gone"):
        scene.feed(id)
    scene.merge("HOSP:gone", "HOSP:2")
    before = scene.events()
    with pytest.raises(Rejected) as caught:
        scene.merge(subsumed, surviving)
    assert caught.value.codes == {code}
    assert scene.events() == before


def test_a_subsumed_id_is_not_fed_any_more(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    scene.merge("HOSP:1", "HOSP:2")
    with pytest.raises(Rejected) as caught:
        scene.feed("HOSP:1")
    assert caught.value.breaches[0].location == "HOSP:1"


def test_an_unknown_survivor_takes_over_the_id(scene: Scene) -> None:
    scene.feed("HOSP:1", "LAB:5")
    scene.merge_or_change("HOSP:1", "HOSP:2")
    assert scene.others("HOSP:1") is None
    assert scene.others("HOSP:2") == ["LAB:5"]


def test_an_unknown_subsumed_id_is_no_error_where_itI_30_says_so(scene: Scene) -> None:
    scene.feed("HOSP:2")
    scene.merge_or_change("HOSP:404", "HOSP:2")
    assert scene.others("HOSP:404") is None


def test_a_changed_id_keeps_its_key_and_links(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.change("HOSP:1", "HOSP:9")
    scene.change("HOSP:404", "HOSP:8")
    assert scene.others("HOSP:1") is None
    assert scene.others("HOSP:8") is None
    assert scene.others("HOSP:9") == [f"NAT:{MATRICULE}"]


def test_an_id_is_not_changed_to_one_that_another_patient_has(scene: Scene) -> None:
    scene.feed("HOSP:1")
    scene.feed("HOSP:2")
    with pytest.raises(Rejected) as caught:
        scene.change("HOSP:1", "HOSP:2")
    assert caught.value.codes == {HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER}


def test_a_national_id_changes_on_the_records_of_its_source_only(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}", source="HIS|CLINIC")
    scene.change(f"NAT:{MATRICULE}", f"NAT:{OTHER_MATRICULE}")
    assert scene.others("HOSP:1") == [f"NAT:{OTHER_MATRICULE}"]
    assert scene.others("CLINIC:7") == [f"NAT:{MATRICULE}"]


def test_a_message_with_a_national_id_alone_makes_a_record_of_it(scene: Scene) -> None:
    scene.feed(f"NAT:{MATRICULE}", source="REGISTER|STATE")
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    assert scene.others("HOSP:1") == [f"NAT:{MATRICULE}"]
    assert scene.others(f"NAT:{MATRICULE}") == ["HOSP:1"]


def test_a_national_id_may_be_the_xds_id(
    index: PatientIndex, origin: Callable[..., Origin], national: AssigningAuthority, clinic: AssigningAuthority
) -> None:
    shared = replace(national, issues_xds_ids=True)
    index = replace(index, domain=replace(index.domain, assigning_authorities=(clinic, shared)))
    identifier = Identifier(authority=shared, id=MATRICULE)
    at_clinic = Identifier(authority=clinic, id="7")
    index.register(Feed(identifiers=(at_clinic, identifier), demographics=ANNA), origin())
    cx = CX(MATRICULE, HD("", shared.oid, "ISO"))
    found = index.database.read(lambda connection: index.resolve(connection, cx))
    assert found is not None
    assert str(found.id) == str(cx)
    assert index.corresponding(identifier) == (at_clinic,)
    assert index.corresponding(at_clinic) == (identifier,)


def test_absent_attributes_stay_and_deleted_ones_go(scene: Scene) -> None:
    scene.feed("HOSP:1")
    update = Feed(
        identifiers=(scene.id("HOSP:1"),),
        demographics=Demographics(birth_time="19800516"),
        deleted=frozenset({"sex"}),
    )
    scene.index.register(update, scene.origin())
    (stored,) = scene.index.database.read(lambda connection: list(connection.scalars(select(record.c.demographics))))
    assert '"birth_time":"19800516"' in stored
    assert "Weber" in stored
    assert "sex" not in stored


def test_a_message_sent_again_gets_the_first_answer_and_is_not_applied(scene: Scene) -> None:
    feed = Feed(identifiers=(scene.id("HOSP:1"),), demographics=ANNA)
    first = Origin(source="HIS|HOSP", message_id="X1", digest="d", answer=b"first", transaction="test")
    again = Origin(source="HIS|HOSP", message_id="X1", digest="d", answer=b"second", transaction="test")
    other = Origin(source="HIS|HOSP", message_id="X1", digest="e", answer=b"third", transaction="test")
    assert scene.index.register(feed, first) == b"first"
    before = scene.events()
    assert scene.index.register(feed, again) == b"first"
    with pytest.raises(Rejected) as caught:
        scene.index.register(feed, other)
    assert caught.value.codes == {HL7ErrorCode.DUPLICATE_KEY_IDENTIFIER}
    assert scene.events() == before


def test_every_record_has_one_active_link(scene: Scene) -> None:
    scene.feed("HOSP:1", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{MATRICULE}")
    scene.feed("CLINIC:7", f"NAT:{OTHER_MATRICULE}")
    active = select(link.c.record).where(link.c.ended_by.is_(None)).order_by(link.c.record)
    linked = scene.index.database.read(lambda connection: list(connection.scalars(active)))
    assert len(linked) == len(set(linked)) == 2
