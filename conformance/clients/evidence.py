"""What a run leaves behind: the bundle of every run, and beside it what only a listener sees.

``seen.json`` has for each exchange the door, the TLS facts, the fault that was planned and what validators found; and
the handshakes that failed.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.clients.session import Session
from conformance.clients.steps import Judged
from conformance.evidence.bundle import write
from conformance.exchanges import Exchange
from conformance.reports import sentence, sources
from conformance.results import Run

SEEN = "seen.json"


def write_evidence(file: Path, session: Session, run: Run) -> None:
    """Write the bundle. OSError: it cannot be written."""
    exchanges = [_told(each, session) for each in run.exchanges]
    seen = {"exchanges": exchanges, "refused_handshakes": [asdict(each) for each in session.desk.handshakes]}
    write(run, file, {SEEN: json.dumps(seen, ensure_ascii=False, indent=1)})


def findings_of(judged: Judged) -> list[dict[str, Any]]:
    """What the validators say of one message, for JSON."""
    return [
        {
            "level": each.level,
            "text": sentence(each),
            "location": each.location,
            "sources": sources(each),
            "assertions": list(each.assertions),
        }
        for each in judged.findings
    ]


def _told(exchange: Exchange, session: Session) -> dict[str, Any]:
    judged = next((each for each in session.course.judged if each.number == exchange.number), None)
    fault = judged.seen.fault if judged else None
    return {
        "number": exchange.number,
        "transaction": exchange.transaction,
        "door": judged.seen.door if judged else "",
        "tls": asdict(exchange.tls) if exchange.tls else None,
        "planned_fault": str(fault) if fault else None,
        "failure": exchange.failure or session.desk.untaken.get(exchange.number) or None,
        "findings": findings_of(judged) if judged else [],
    }
