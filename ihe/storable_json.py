"""JSON whose texts can be stored: no half of a surrogate pair and no NUL, which escapes may say (RFC 8259: 7, 8.2)."""

import json
import re
from typing import Any

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def loads(data: bytes, **hooks: Any) -> Any:
    """Read JSON in UTF-8; ``hooks`` are those of ``json.loads``. Raises ValueError, RecursionError."""
    found = json.loads(data.decode("utf-8"), **hooks)
    if b"\\u" in data:
        _check(json.dumps(found, ensure_ascii=False))
    return found


def _check(spelled: str) -> None:
    if _NUL.search(spelled):
        raise ValueError("a text holds the character NUL")
    try:
        spelled.encode()
    except UnicodeEncodeError:
        raise ValueError("an escape stands for half a character") from None
