"""What a run leaves behind: the verdicts, and each message as it stood on the wire."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.clients.session import Session
from conformance.clients.steps import Judged
from conformance.exchanges import Exchange
from conformance.reports import sentence, sources
from conformance.results import Run


def write_evidence(folder: Path, session: Session, run: Run) -> None:
    """Write ``run.json``, ``exchanges.json``, and the messages below ``exchanges/``."""
    messages = folder / "exchanges"
    messages.mkdir(parents=True, exist_ok=True)
    for each in run.exchanges:
        _write_messages(messages, each)
    index = [_told(each, session) for each in run.exchanges]
    refused = [asdict(each) for each in session.desk.handshakes]
    _write(folder / "run.json", plain(run))
    _write(folder / "exchanges.json", {"exchanges": index, "refused_handshakes": refused})


def plain(run: Run) -> dict[str, Any]:
    """The verdicts, for JSON."""
    return {
        "system": run.system,
        "version": run.version,
        "began": run.began.isoformat(),
        "seconds": round(run.seconds, 3),
        "results": [asdict(each) for each in run.results],
    }


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
        "step": exchange.step,
        "wire": exchange.wire,
        "door": judged.seen.door if judged else "",
        "initiator": exchange.initiator,
        "responder": exchange.responder,
        "began": exchange.began.isoformat(),
        "seconds": round(exchange.seconds, 6),
        "tls": asdict(exchange.tls) if exchange.tls else None,
        "planned_fault": str(fault) if fault else None,
        "failure": exchange.failure or session.desk.untaken.get(exchange.number) or None,
        "findings": findings_of(judged) if judged else [],
    }


def _write_messages(folder: Path, exchange: Exchange) -> None:
    stem = f"{exchange.number:04}-{exchange.transaction or 'unknown'}"
    (folder / f"{stem}.request").write_bytes(exchange.request.as_bytes())
    if exchange.answer is not None:
        (folder / f"{stem}.answer").write_bytes(exchange.answer.as_bytes())


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
