"""A second opinion on inbound messages from hl7apy, per source: off, sampled or strict (HL7 v2.x message structures).

hl7apy needs 10 to 70 ms for a message, so it works in a process of its own (``validation_worker``), one message at a
time, and never on the reactor. What is known to be its fault and not the sender's is left out here.
"""

import itertools
import json
import os
import re
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import IO

import structlog

from hl7v2.encoding import Charset
from hl7v2.er7 import serialize
from hl7v2.message import Message
from ihe.citations import Citation
from ihe.errors import Breach, HL7ErrorCode, Rejected, Severity

log = structlog.get_logger()

PROCESSORS = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else frozenset()
"""Those that this process may use, as it began; its threads may be told to share one of them later."""
LONGEST = 1024 * 1024
"""Bytes; longer messages are not worth the minutes that hl7apy would take."""

STRUCTURES: Mapping[str, Mapping[str, str]] = {
    "2.3": {"A01": "ADT_A01", "A04": "ADT_A01", "A05": "ADT_A01", "A08": "ADT_A01", "A40": "ADT_A39"},
    "2.5": {
        **{event: "ADT_A01" for event in ("A01", "A04", "A08", "A13")},
        **{event: "ADT_A05" for event in ("A05", "A14", "A28", "A31")},
        **{"A24": "ADT_A24", "A37": "ADT_A37", "A40": "ADT_A39", "A43": "ADT_A43", "A47": "ADT_A30"},
    },
}
"""MSH-9.3 by version and event: hl7apy cannot do without it, senders can (HL7 table 0354; ITI TF-2: 3.8.4.1.2.1)."""

COMPLAINTS: tuple[tuple[re.Pattern[str], HL7ErrorCode, str], ...] = (
    (
        re.compile(r"Missing required child (?P<parent>\w+)\.(?P<child>\w+)"),
        HL7ErrorCode.REQUIRED_FIELD_MISSING,
        "Something that the HL7 message structure requires is missing",
    ),
    (
        re.compile(r"Child limit exceeded (?P<parent>\w+)\.(?P<child>\w+)"),
        HL7ErrorCode.DATA_TYPE_ERROR,
        "Something is repeated more often than the HL7 message structure allows",
    ),
    (
        re.compile(r"Invalid children detected for <\w+ (?P<parent>\w+)[^>]*>: \['(?P<child>\w+)'"),
        HL7ErrorCode.DATA_TYPE_ERROR,
        "Something stands where the HL7 message structure does not allow it",
    ),
    (
        re.compile(r"Datatype \w+ is not correct for (?P<parent>\w+)\.(?P<child>\w+)"),
        HL7ErrorCode.DATA_TYPE_ERROR,
        "A value is not of the data type that HL7 gives it",
    ),
    (
        re.compile(r"Value .* not in table \w+ in element (?P<parent>\w+)\.(?P<child>\w+)", re.DOTALL),
        HL7ErrorCode.TABLE_VALUE_NOT_FOUND,
        "A value is not in its HL7 table",
    ),
    (
        re.compile(r"Exceeded max length \(\d+\) of (?P<parent>\w+)\.(?P<child>\w+)"),
        HL7ErrorCode.DATA_TYPE_ERROR,
        "A value is longer than HL7 allows",
    ),
)
"""What hl7apy says, and what we say. Its other sentences speak of its own limits."""

Complaint = tuple[str, str]
"""``Error`` or ``Warning``, and hl7apy's sentence."""


class Policy(Enum):
    """How the messages of one source are validated."""

    OFF = "off"
    SAMPLED = "sampled"
    STRICT = "strict"


class Validator:
    """One hl7apy worker process, started when it is first needed; safe to use from several threads."""

    def __init__(self, timeout: float = 10.0, every: int = 100) -> None:
        """``timeout``: seconds for one message. ``every``: a sampled source's message in how many is looked at."""
        self._timeout = timeout
        self._every = every
        self._counted = itertools.count()
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def enforce(self, message: Message, policy: Policy) -> tuple[Breach, ...]:
        """Strict: raise Rejected if there are errors. Sampled: now and then look, and log where. Off: nothing.

        Returns what was found wrong and let pass.
        """
        if policy is Policy.OFF or (policy is Policy.SAMPLED and not self._is_due()):
            return ()
        found = self.check(message)
        errors = [breach for breach in found if breach.severity is Severity.ERROR]
        if errors and policy is Policy.STRICT:
            raise Rejected(*found)
        if found:
            log.warning(
                "hl7 structure doubtful", sender=message.sending_application, at=[each.location for each in found]
            )
        return found

    def check(self, message: Message) -> tuple[Breach, ...]:
        """Everything that hl7apy finds wrong and that is not its own defect; nothing if it fails or takes too long."""
        data = spelled_for_hl7apy(message)
        if len(data) > LONGEST:
            return ()
        with self._lock:
            try:
                return tuple(breaches(message, self._ask(data)))
            except (OSError, ValueError) as failure:
                log.warning("hl7 validator failed", failure=type(failure).__name__, trigger=message.trigger)
                self._stop()
                return ()

    def close(self) -> None:
        """End the worker process."""
        with self._lock:
            self._stop()

    def _is_due(self) -> bool:
        return next(self._counted) % self._every == 0

    def _ask(self, data: bytes) -> list[Complaint]:
        worker = self._worker = self._worker or _start()
        if worker.stdin is None or worker.stdout is None:
            raise OSError("the worker has no pipes")
        worker.stdin.write(len(data).to_bytes(4, "big") + data)
        worker.stdin.flush()
        return [(level, sentence) for level, sentence in json.loads(_line(worker.stdout, self._timeout))]

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None


def _start() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-I", str(Path(__file__).with_name("validation_worker.py"))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if PROCESSORS:
        os.sched_setaffinity(process.pid, PROCESSORS)
    return process


def _line(pipe: IO[bytes], timeout: float) -> bytes:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(timeout):
            raise TimeoutError("hl7apy took too long")
    line = pipe.readline()
    if not line:
        raise ConnectionError("the worker ended")
    return line


def spelled_for_hl7apy(message: Message) -> bytes:
    """UTF-8, CR, and with the MSH-9.3 that the event has."""
    header = message.header
    fields = list(header.fields)
    structure = STRUCTURES.get(message.version[:3], {}).get(header.text(9, 2))
    if structure:
        fields[8] = message.encoding.component.join((header.text(9), header.text(9, 2), structure))
    encoding = replace(message.encoding, charset=Charset.UTF_8)
    segments = (replace(header, fields=tuple(fields)), *message.segments[1:])
    return serialize(Message(segments, encoding))


def breaches(message: Message, complaints: list[Complaint]) -> Iterator[Breach]:
    """Translate hl7apy's sentences, each once, without those about its own limits."""
    for level, sentence in dict.fromkeys(complaints):
        if level == "Failed":
            log.warning("hl7 validator failed", failure=sentence, trigger=message.trigger)
        for pattern, code, text in COMPLAINTS:
            found = pattern.match(sentence)
            if found and not _is_defect(found["parent"], found["child"]):
                yield _breach(message, level, sentence, (code, text, found["parent"], found["child"]))


def _is_defect(parent: str, child: str) -> bool:
    """QPD and its answer differ from query to query; hl7apy takes the general form for the only one."""
    return parent.startswith("QPD") or child == "QRI"


def _breach(message: Message, level: str, sentence: str, found: tuple[HL7ErrorCode, str, str, str]) -> Breach:
    code, text, parent, child = found
    location = _location(message, parent, child)
    if "_" not in child:
        code = HL7ErrorCode.SEGMENT_SEQUENCE_ERROR
    return Breach(
        code=code,
        text=text,
        location=location,
        observed=f"{sentence} (hl7apy)",
        citation=Citation(f"HL7 v{message.version}", "message structure"),
        severity=Severity.ERROR if level == "Error" else Severity.WARNING,
    )


def _location(message: Message, parent: str, child: str) -> str:
    """ERR-2 where hl7apy says enough: segments, and fields of a segment that occurs once."""
    if "_" not in child:
        return f"{child}^{len(message.all(child)) or 1}" if len(child) == 3 else ""
    field = child if parent == child.split("_")[0] else parent
    name, _, number = field.partition("_")
    return f"{name}^1^{number}" if number.isdigit() and len(message.all(name)) == 1 else ""
