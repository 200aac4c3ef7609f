"""What each decision of a steward does, within one change."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from ihe.identifiers import PatientKey
from pix import declaring, merging, store_links, store_records
from pix.choices import Choice, NotPossible, Ruling, Situation, check_fit
from pix.decisions import Basis, Pair, pair
from pix.doubts import close_answered, report
from pix.event_log import read
from pix.events import Declared, TaskDecided, Undeclared
from pix.journal import Change
from pix.linking import reevaluate
from pix.store_records import Record
from pix.tasks import Kind, Task


def decide(change: Change, task: Task, ruling: Ruling) -> None:
    """End a task, and do what follows from it."""
    low, high = task.pair
    records = {} if ruling.choice is Choice.IGNORE else _in_use(change, task)
    if records:
        check_fit(task, situation(change.connection, task, records.values()), ruling.choice)
    change.note(TaskDecided(record=low, other=high, task=task.number, decision=ruling.choice.value))
    match ruling.choice:
        case Choice.IGNORE:
            return
        case Choice.MERGE:
            _merge(change, _chosen(task, records, ruling) or low, task.pair)
        case Choice.SPLIT:
            split(change, _leaving(change, task, records, ruling))
        case _ if low == high:
            reevaluate(change, (low,))
        case _:
            declare(change, {task.pair}, same=ruling.choice is Choice.LINK)


def situation(connection: Connection, task: Task, records: Iterable[Record]) -> Situation:
    """What the choices of a task with these records depend on."""
    persons = store_links.persons_of(connection, task.pair)
    return Situation(
        together=len(set(persons.values())) == 1 and len(persons) == len(set(task.pair)),
        one_authority=len({each.authority for each in records}) == 1,
    )


def declare(change: Change, pairs: Iterable[Pair], *, same: bool) -> None:
    """Keep what a steward says of these records, and find out anew who is who. NotPossible: it would not hold."""
    pairs = set(pairs)
    keys = {key for two in pairs for key in two}
    links = set() if same else _standing_links(change, keys) - pairs
    declaring.declare(change, pairs, same=same, basis=Basis.STEWARD)
    reevaluate(change, keys)
    if same:
        for two in pairs:
            _check_joined(change, two)
    close_answered(change, pairs)
    for low, high in sorted(links - _standing_links(change, {key for two in links for key in two})):
        report(change, Kind.DISPUTE, low, high, "somebody said that they are one person; a later decision parts them")


def _standing_links(change: Change, keys: Collection[PatientKey]) -> set[Pair]:
    """What people and sources linked deliberately among those with whom these are one person."""
    decisions = store_links.decisions(change.connection, store_links.together(change.connection, keys))
    linked = [each.pair for each in decisions if each.same and each.basis is not Basis.LISTED]
    persons = store_links.persons_of(change.connection, {key for two in linked for key in two})
    return {two for two in linked if two[0] in persons and persons[two[0]] == persons.get(two[1])}


def withdraw(change: Change, two: Pair) -> None:
    """Forget a steward's decision; what a source said of the two before counts again. NotPossible: there is none."""
    held = _decision(change, two)
    if held is None or held is not Basis.STEWARD:
        raise NotPossible("No steward has decided anything of these two ids")
    said = _said_before(change, two)
    change.note(Undeclared(record=two[0], other=two[1]))
    if said is not None:
        change.note(said)
    reevaluate(change, two)


def split(change: Change, leaving: PatientKey) -> None:
    """A record leaves all that it is linked with. NotPossible: it is alone."""
    others = store_links.together(change.connection, (leaving,)) - {leaving}
    if not others:
        raise NotPossible("The record is linked with no other, so there is nothing to split")
    declare(change, {pair(leaving, other) for other in others}, same=False)


def _in_use(change: Change, task: Task) -> dict[PatientKey, Record]:
    """The task's records. NotPossible: one of them was merged or renamed away, or no feed has announced it."""
    found = store_records.by_keys(change.connection, task.pair)
    gone = [key for key in task.pair if key not in found or found[key].survivor or not found[key].announced]
    if gone:
        raise NotPossible("A record of this task is not in use; look at its history, and ignore the task")
    return found


def _chosen(task: Task, records: dict[PatientKey, Record], ruling: Ruling) -> PatientKey | None:
    if ruling.chosen is None:
        return None
    for key in task.pair:
        if records[key].identifier == ruling.chosen.key:
            return key
    raise NotPossible("The id that was named is none of this task's")


def _leaving(change: Change, task: Task, records: dict[PatientKey, Record], ruling: Ruling) -> PatientKey:
    chosen = _chosen(task, records, ruling)
    if chosen is not None or task.pair[0] == task.pair[1]:
        return chosen or task.pair[0]
    if len(store_links.together(change.connection, task.pair)) > 2:
        raise NotPossible("Other records are linked with both: say which of the two leaves them")
    return task.pair[1]


def _merge(change: Change, survivor: PatientKey, two: Pair) -> None:
    subsumed = two[1] if survivor == two[0] else two[0]
    merging.merge_records(change, survivor=survivor, subsumed=subsumed)


def _check_joined(change: Change, two: Pair) -> None:
    """A link that an earlier decision about others of their records prevents would be kept, and do nothing."""
    persons = store_links.persons_of(change.connection, two)
    if len(set(persons.values())) < 2:
        return
    groups = [store_links.together(change.connection, (key,)) for key in two]
    decisions = store_links.decisions(change.connection, groups[0])
    between = [each.pair for each in decisions if not each.same and groups[1].intersection(each.pair)]
    if not between:
        raise NotPossible("They cannot be linked: too many records are connected with them")
    records = store_records.by_keys(change.connection, between[0])
    ids = " and ".join(f"{each.id} ({each.authority})" for each in records.values())
    raise NotPossible(f"They cannot be linked: a decision keeps {ids} apart; withdraw that one first")


def _decision(change: Change, two: Pair) -> Basis | None:
    return next((each.basis for each in store_links.decisions(change.connection, two) if each.pair == two), None)


def _said_before(change: Change, two: Pair) -> Declared | None:
    """What a source had said of the two (ADT^A24, A37) when a steward decided; ids in one message are listed again."""
    events = (read(change.connection, number).event for number in store_links.said_of(change.connection, two))
    said = next((each for each in events if not (isinstance(each, Declared) and each.basis is Basis.STEWARD)), None)
    return said if isinstance(said, Declared) and said.basis is Basis.SOURCE else None
