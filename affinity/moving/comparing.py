"""Are the rows of two databases the same? A sum of their hashes does not mind in which order they come."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, Float, Table
from sqlalchemy.types import TypeDecorator

MODULUS = 2**128


def digest(table: Table, rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """How many rows there are, and the sum of their hashes in hexadecimal."""
    normal = [_normal(column.type) for column in table.columns]
    count = total = 0
    for row in rows:
        spelled = repr([make(value) if value is not None else None for make, value in zip(normal, row, strict=True)])
        total += int.from_bytes(blake2b(spelled.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        count += 1
    return count, f"{total % MODULUS:032x}"


def _normal(kind: Any) -> Any:
    """What makes the values of both databases alike."""
    kind = kind.impl if isinstance(kind, TypeDecorator) else kind
    for wanted, make in ((Boolean, bool), (DateTime, _moment), (JSON, _json), (Float, float)):
        if isinstance(kind, wanted):
            return make
    return _plain


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value


def _moment(value: Any) -> str:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _json(value: Any) -> str:
    return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
