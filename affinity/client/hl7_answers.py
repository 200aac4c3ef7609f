"""What came back over HL7 v2: acknowledgements, their errors, patients (ITI TF-2: C.2.3, 3.9, 3.21)."""

from dataclasses import dataclass

from affinity.client.patients import Found, Patient, Remark
from hl7v2.message import Group, Message, Repetition, Segment
from ihe.datatypes import CX, HD

ACCEPTED = ("AA", "CA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """MSA and every ERR."""

    code: str
    control_id: str
    text: str
    errors: tuple[Remark, ...]

    @property
    def accepted(self) -> bool:
        """Claim that the message was taken (HL7 table 0008)."""
        return self.code in ACCEPTED


def acknowledgement(answer: Message) -> Acknowledgement:
    """Read how a message was received. Rejected if there is no MSA."""
    msa = answer["MSA"]
    return Acknowledgement(
        code=msa.text(1), control_id=msa.text(2), text=msa.text(3), errors=tuple(map(_remark, answer.all("ERR")))
    )


def found(answer: Message) -> Found:
    """Read the answer to QBP^Q22 or QBP^Q23. Rejected if there is no MSA."""
    told, qak = acknowledgement(answer), answer.find("QAK")
    return Found(
        code=told.code,
        outcome=qak.text(2) if qak else "",
        patients=tuple(map(_patient, answer.groups("PID"))),
        remarks=told.errors,
        remaining=int(qak.text(6)) if qak and qak.text(6).isdecimal() else None,
    )


def _patient(group: Group) -> Patient:
    pid, qri = group["PID"], group.find("QRI")
    degree = qri.text(1) if qri else ""
    return Patient(
        identifiers=tuple(_identifier(each) for each in pid.repetitions(3) if each.text()),
        family=pid.text(5).strip(),
        given=pid.text(5, 2),
        birth_date=pid.text(7),
        sex=pid.text(8),
        city=pid.text(11, 3),
        match_degree=int(degree) if degree.isdecimal() else None,
    )


def _identifier(repetition: Repetition) -> CX:
    authority = HD(repetition.text(4, 1), repetition.text(4, 2), repetition.text(4, 3))
    return CX(repetition.text(), authority, repetition.text(5))


def _remark(err: Segment) -> Remark:
    """ERR in the form of version 2.5, or ERR-1 of 2.3.1, which has nothing else."""
    old = err.repetitions(1)
    code, meaning = err.text(3) or err.text(1, 4), err.text(3, 2) or err.text(1, 4, 2)
    location = err.raw(2) or ("^".join(filter(None, (old[0].text(part) for part in (1, 2, 3)))) if old else "")
    return Remark(
        code=code, meaning=meaning, location=location, severity=err.text(4) or "E", text=err.text(7) or err.text(8)
    )
