"""How attribute values are spelled, both ways (ITI TF-3: Table 4.2.3.1.7-2).

A type reads only what the model cannot hold as text; whether a text has the right form is said by ``xds.rules_values``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ihe.datatypes import parse_patient_id
from ihe.identifiers import EntryUUID, UniqueId
from xds.model import AssociationType, AvailabilityStatus, DocumentAvailability, ObjectType, SubmissionSetStatus

_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class ValueType:
    """``read`` raises ValueError with a sentence; ``write`` gives the wire spelling."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def _integer(text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise ValueError("a number is written in decimal digits")
    return int(text)


def _yes_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("the value is yes or no")
    return text.lower() == "yes"


def _term(vocabulary: type[Enum]) -> ValueType:
    terms = {str(term.value): term for term in vocabulary}

    def read(text: str) -> Enum:
        if text not in terms:
            raise ValueError("the value is one of " + ", ".join(terms))
        return terms[text]

    return ValueType(read, _spellings(vocabulary))


def _spellings(vocabulary: type[Enum]) -> Callable[[Any], str]:
    return {term: str(term.value) for term in vocabulary}.__getitem__


def _version(text: str) -> int | None:
    """The registry numbers versions; ebRIM's default, 1.1, says nothing (XDS Metadata Update: 4.2.3.2.32)."""
    return _integer(text) if _DIGITS.fullmatch(text) else None


TEXT = ValueType(str)
VERSION = ValueType(_version)
INTEGER = ValueType(_integer)
CX_ID = ValueType(parse_patient_id)
UNIQUE_ID = ValueType(UniqueId)
REFERENCE = ValueType(EntryUUID)
LOGICAL_ID = ValueType(EntryUUID)
TEXTUAL = (TEXT, UNIQUE_ID, REFERENCE, LOGICAL_ID)
"""Types whose values are texts already."""
YES_NO = ValueType(_yes_no, lambda claim: "yes" if claim else "no")
LIFECYCLE = ValueType({status.value: status for status in AvailabilityStatus}.get, _spellings(AvailabilityStatus))
"""A submitted status is ignored, so an unknown one is no fault (ITI TF-3: 4.2.3.2.2)."""
STATUS = _term(AvailabilityStatus)
AVAILABILITY = _term(DocumentAvailability)
OBJECT_TYPE = _term(ObjectType)
SET_STATUS = _term(SubmissionSetStatus)
ASSOCIATION_TYPE = _term(AssociationType)
