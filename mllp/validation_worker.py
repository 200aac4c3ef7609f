"""The process in which hl7apy works; the only module that imports it.

Standard input: messages, each after its length in four bytes. Standard output: a line of JSON for each, a list of
``[level, sentence]``. What hl7apy raises beside its findings is a defect of its own (AttributeError, for instance, at
messages that are merely unusual) and is told as the level ``Failed``.
"""

import json
import sys
import tempfile
from pathlib import Path

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import ValidationError
from hl7apy.parser import parse_message
from hl7apy.validation import Validator


def complaints(message: str, report: Path) -> list[tuple[str, str]]:
    """What hl7apy finds wrong with a message: ``Error`` or ``Warning``, and a sentence."""
    report.write_text("")
    try:
        parsed = parse_message(message, validation_level=VALIDATION_LEVEL.TOLERANT)
        Validator.validate(parsed, report_file=str(report))
    except ValidationError:
        pass  # the first of the errors in the report
    except Exception as defect:
        return [("Failed", type(defect).__name__)]
    lines = [line.partition(": ") for line in report.read_text().split("\n")]
    return [(level, sentence) for level, _, sentence in lines if level in ("Error", "Warning")]


def main() -> None:
    """Answer until the input ends."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report"
        while length := sys.stdin.buffer.read(4):
            message = sys.stdin.buffer.read(int.from_bytes(length, "big"))
            found = complaints(message.decode(), report)
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
