"""``docs/mutants.md``: how many mutants there are of each kind, and which of them no suite sees, with the reason."""

from collections import Counter
from pathlib import Path

from conformance.mutants.everyone import mutants

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "mutants.md"
STILL_FREE = ROOT / "tests" / "conformance" / "mutants-still-free.txt"
"""Names of mutants that no suite sees, one a line, with the reason behind ``#``."""
HEAD = """# Who tests the tests

A suite that passes proves nothing until it has failed. So our own server is made wrong in one thing at a time, while it
runs, and the suites hunt it: a mutant is caught if a test that covers an assertion which it breaks fails, where no test
failed before.

```console
python -m conformance.mutants
python -m conformance.mutants forgets repository:
```

Names may be given by their beginning. CI hunts all of them (`tests/conformance/test_mutants.py`). This page is made by
`python -m conformance.mutants.page`; a test keeps it true.

| kind | what the server does | mutants | caught |
|---|---|---|---|"""
KINDS = {
    "forgets": "accepts what a rule refuses",
    "miscodes": "refuses it with another code",
    "ignores": "ignores a parameter of a stored query",
}
OTHER = "does one thing wrong that no rule and no parameter names"


def still_free() -> dict[str, str]:
    """The mutants that no suite sees, and why none can, as far as somebody knows."""
    lines = (line.partition("#") for line in STILL_FREE.read_text().splitlines() if line.strip())
    return {name.strip(): why.strip() for name, _, why in lines}


def page() -> str:
    """The whole page."""
    free = still_free()
    every = Counter(_kind(each.name) for each in mutants())
    lost = Counter(_kind(name) for name in free)
    rows = [f"| {kind} | {KINDS.get(kind, OTHER)} | {n} | {n - lost[kind]} |" for kind, n in every.items()]
    total = f"| all | | {sum(every.values())} | {sum(every.values()) - len(free)} |"
    named = [f"- `{name}`: {why or 'no test yet'}" for name, why in sorted(free.items())]
    return "\n".join([HEAD, *rows, total, "", "## Not caught", "", *(named or ["None."]), ""])


def _kind(name: str) -> str:
    kind = name.partition(":")[0]
    return kind if kind in KINDS else "other"


if __name__ == "__main__":
    PAGE.write_text(page())
