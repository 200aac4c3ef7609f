"""Whom an encounter makes take part in a patient's care, and until when (ITI-31; ITI TF-2: 3.31.7)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from affinity.record_file import RecordRules
from consent.model import Party, organization, professional
from ihe.datatypes import earliest
from pix.encounters import ATTENDING, PRESENT, Encounter, Status

_DTM = re.compile(r"([0-9]{4,14})(?:\.[0-9]+)?([+-][0-9]{4})?$")


@dataclass(frozen=True, slots=True)
class Derived:
    """A party that takes part until a moment."""

    party: Party
    until: datetime


def source(encounter: Encounter) -> str:
    """What the relationships of an encounter are found again by."""
    return f"encounter:{encounter.number}"


def derived(encounter: Encounter, rules: RecordRules, facilities: Mapping[str, str], now: datetime) -> set[Derived]:
    """Who takes part now; nobody before the arrival, after the delay, or when it was cancelled."""
    until = _until(encounter, rules, now)
    if until is None or until <= now:
        return set()
    return {Derived(party, until) for party in _parties(encounter, rules, facilities)}


def _until(encounter: Encounter, rules: RecordRules, now: datetime) -> datetime | None:
    if encounter.status in PRESENT:
        return (moment(encounter.begin) or now) + rules.longest_encounter
    if encounter.status is Status.DISCHARGED:
        return (moment(encounter.end or "") or now) + rules.after_encounter
    return None


def _parties(encounter: Encounter, rules: RecordRules, facilities: Mapping[str, str]) -> Iterator[Party]:
    if "organization" in rules.lets_in and encounter.facility in facilities:
        yield organization(facilities[encounter.facility])
    if "attending" in rules.lets_in:
        yield from attending(encounter.pv1.get(ATTENDING, ""), rules.definitions.professionals)


def attending(xcn: str, professionals: str) -> Iterator[Party]:
    """The doctors of PV1-7 whose number is of the domain's own authority: a local number names nobody elsewhere."""
    for repetition in xcn.split("~"):
        components = repetition.split("^")
        authority = components[8].split("&") if len(components) > 8 else []
        if components[0] and professionals and professionals in authority[1:2]:
            yield professional(components[0])


def moment(dtm: str) -> datetime | None:
    """A DTM of any precision, perhaps with fraction and zone; without a zone it is UTC."""
    found = _DTM.match(dtm)
    if not found:
        return None
    digits, zone = found.groups()
    try:
        return datetime.strptime(earliest(digits) + (zone or "+0000"), "%Y%m%d%H%M%S%z").astimezone(UTC)
    except ValueError:
        return None
