"""Move account information, ADT^A44: an account and its encounters become another patient's (ITI TF-2: 3.31.7.25)."""

from collections.abc import Iterable
from dataclasses import replace

from ihe.datatypes import CX
from ihe.identifiers import PatientKey
from pix import registration, store_encounters, store_nationals, store_records
from pix.claims import own_identifiers, refuse_subsumed
from pix.encounter_requests import AccountMove
from pix.encounters import Encounter
from pix.events import EncounterChanged, Remarked, Updated
from pix.journal import Change
from pix.model import Feed, Identifier
from pix.state import State
from pix.store_records import Record


def move(change: Change, moves: Iterable[AccountMove]) -> None:
    """Move each account; one that is not known, or not of this patient, is no error (ITI TF-2: 3.31.7.25.4)."""
    for each in moves:
        suppliers = _records(change, each.supplier)
        encounters = [one for one in _encounters(change, suppliers) if one.account == each.number]
        holders = [one for one in suppliers if _held(one, each.account)]
        if not encounters and not holders:
            change.note(Remarked(remark="account-move-discarded", detail={"account": each.number}))
            continue
        registration.register(change, _with_account(each))
        target = _target(change, each)
        for one in holders:
            _take(change, one, each.account)
        for encounter in encounters:
            state = store_encounters.plain_state(encounter)
            before = {"record": encounter.record}
            change.note(EncounterChanged(record=target, before=before, encounter=encounter.number, state=state))


def _records(change: Change, identifiers: tuple[Identifier, ...]) -> list[Record]:
    own = own_identifiers(identifiers)
    known = store_records.by_identifiers(change.connection, own)
    refuse_subsumed(own, known)
    return [each for each in known.values() if each.announced]


def _encounters(change: Change, records: Iterable[Record]) -> tuple[Encounter, ...]:
    keys = {each.key for each in records}
    keys |= {key for each in keys for key in store_records.subsumed_by(change.connection, each)}
    return store_encounters.encounters_of(change.connection, keys)


def _held(record: Record, account: CX) -> bool:
    return any(_same(each, account) for each in record.demographics.accounts)


def _same(one: CX, other: CX) -> bool:
    """Claim that both are one account: the id and what is known of the authority agree."""
    if one.id != other.id:
        return False
    mine, theirs = one.authority, other.authority
    return (
        mine.universal_id == theirs.universal_id
        if mine.universal_id and theirs.universal_id
        else (mine.namespace_id == theirs.namespace_id)
    )


def _with_account(each: AccountMove) -> Feed:
    """The target's feed; the account that it gains stands beside those that PID-18 names."""
    said = each.target.demographics
    accounts = (*(one for one in said.accounts if not _same(one, each.account)), each.account)
    return replace(each.target, demographics=replace(said, accounts=accounts))


def _target(change: Change, each: AccountMove) -> PatientKey:
    own = own_identifiers(each.target.identifiers)
    known = store_records.by_identifiers(change.connection, own)
    return next(known[one.key].key for one in own if one.key in known)


def _take(change: Change, record: Record, account: CX) -> None:
    """Remove the account from a record."""
    held = store_nationals.held(change.connection, (record.key,)).get(record.key, ())
    before = State(demographics=record.demographics, nationals=held)
    left = tuple(one for one in record.demographics.accounts if not _same(one, account))
    after = replace(before, demographics=replace(record.demographics, accounts=left))
    change.note(Updated(record=record.key, authority=record.authority, id=record.id, before=before, state=after))
