"""A message of ITI-31 as a value: the patient, the encounter that it names, the movement (ITI TF-2: 3.31.6, 3.31.7)."""

from dataclasses import replace

from hl7v2.compose import compose
from hl7v2.encoding import NULL
from hl7v2.message import Segment
from ihe.citations import tf2
from ihe.errors import Breach, HL7ErrorCode, Rejected
from ihe.rules import breaches
from pix import adt
from pix.encounter_requests import UPDATE, AccountMove, EncounterMessage
from pix.encounter_rules import ENCOUNTER_RULES
from pix.encounters import VISIT_NUMBER, Fields, Movement, cx
from pix.model import Feed, Identifier
from pix.patient_rules import EVENT_RULES, NAMED_PATIENT_RULES
from pix.pid import IDENTIFICATION, deleted_attributes, read_demographics

PRIOR_ACCOUNT = 3
"""MRG-3 (ITI TF-2: 3.31.7.9.4)."""


def read(admission: adt.Admission, action: str, received: str) -> tuple[EncounterMessage, Rejected | None]:
    """The message, and warnings. ``action`` is what the trigger implies, ``received`` a DTM. Rejected: all breaches."""
    message, reader = admission.message, admission.reader()
    pid, pv1 = message["PID"], message["PV1"]
    identifiers = reader.read(pid, 3)
    reader.breaches.extend(breaches(pid, NAMED_PATIENT_RULES))
    reader.breaches.extend((*breaches(message, ENCOUNTER_RULES), *adt.other_patients(message)))
    zbe = message.find("ZBE")
    if zbe is None and action == UPDATE:
        reader.breaches.append(_no_movement())
    warnings = reader.verdict()
    mrg, fields, account = message.find("MRG"), _fields(pv1), cx(_fields(pid).get(18, ""))
    asked = EncounterMessage(
        trigger=message.header.text(9, 2),
        action=(zbe.text(4) if zbe else "") or action,
        facility=message.sending_facility,
        feed=replace(_feed(pid, identifiers), withdrawn=reader.withdrawn(pid, 3)),
        visit=cx(fields.get(VISIT_NUMBER, "")),
        account=account,
        prior_account=cx(_fields(mrg).get(PRIOR_ACCOUNT, "")) if mrg else "",
        movement=_movement(admission, fields, account, received),
        original=zbe.text(6) if zbe else "",
    )
    return asked, warnings


def read_account_moves(admission: adt.Admission) -> tuple[tuple[AccountMove, ...], Rejected | None]:
    """Each PID with its MRG, and warnings. Rejected: every breach (ITI TF-2: Table 3.31-31)."""
    reader, moves = admission.reader(), []
    reader.breaches.extend(breaches(admission.message, EVENT_RULES))
    for group in admission.message.groups("PID"):
        pid, mrg = group["PID"], group["MRG"]
        reader.breaches.extend(breaches(pid, NAMED_PATIENT_RULES))
        target, supplier = reader.read(pid, 3), reader.read(mrg, 1)
        number = cx(_fields(mrg).get(PRIOR_ACCOUNT, ""))
        account = next((IDENTIFICATION.read(each.raw, each.encoding) for each in mrg.repetitions(PRIOR_ACCOUNT)), None)
        if account is None:
            reader.breaches.append(_no_account(mrg))
        else:
            moves.append(AccountMove(account=account, number=number, supplier=supplier, target=_feed(pid, target)))
    warnings = reader.verdict()
    return tuple(moves), warnings


def _feed(pid: Segment, identifiers: tuple[Identifier, ...]) -> Feed:
    return Feed(
        identifiers=identifiers,
        demographics=read_demographics(pid),
        deleted=deleted_attributes(pid),
        sent=adt.as_sent(pid),
    )


def _movement(admission: adt.Admission, pv1: Fields, account: str, received: str) -> Movement:
    message = admission.message
    pv2, evn, zbe = message.find("PV2"), message.find("EVN"), message.find("ZBE")
    occurred = (evn.text(6) or evn.text(2)) if evn else ""
    movement = Movement(
        trigger=message.header.text(9, 2),
        at=_known(occurred) or received,
        pv1=pv1,
        pv2=_fields(pv2) if pv2 else {},
        account=account,
    )
    return movement if zbe is None else _identified(movement, zbe)


def _identified(movement: Movement, zbe: Segment) -> Movement:
    """The movement with what ZBE says of it."""
    said = _fields(zbe)
    return replace(
        movement,
        at=said.get(2, movement.at),
        until=_known(said.get(3, "")) or None,
        ids=tuple(each for each in said.get(1, "").split("~") if each),
        ward=_known(said.get(7, "")),
        nursing_ward=_known(said.get(8, "")),
        scope=_known(said.get(9, "")),
    )


def _fields(segment: Segment) -> Fields:
    """The fields that say something, spelled in the standard's delimiters; set ids say nothing."""
    spelled = compose({}, (segment,))[segment.name]
    first = 1 if segment.name in ("ZBE", "MRG") else 2
    return {number: text for number, text in enumerate(spelled.fields, 1) if text and number >= first}


def _known(text: str) -> str:
    return "" if text == NULL else text


def _no_movement() -> Breach:
    return Breach(
        code=HL7ErrorCode.SEGMENT_SEQUENCE_ERROR,
        text="An update says in ZBE which movement it is about",
        location="ZBE^1",
        citation=tf2("3.31.7.30.3"),
    )


def _no_account(mrg: Segment) -> Breach:
    return Breach(
        code=HL7ErrorCode.REQUIRED_FIELD_MISSING,
        text="MRG-3 holds the account that is moved",
        location=mrg.location(PRIOR_ACCOUNT),
        citation=tf2("3.31.7.25.4"),
    )
