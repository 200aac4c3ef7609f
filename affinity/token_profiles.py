"""The token profiles of a domain: those shipped, and ``token-profiles/*.toml`` of its directory."""

from collections.abc import Mapping
from pathlib import Path

from affinity.domain_faults import Fault
from xua import profile_files
from xua.profiles import TokenProfile

DIRECTORY = "token-profiles"


def read(directory: Path, faults: list[Fault]) -> Mapping[str, TokenProfile]:
    """Every profile by its name; a file that cannot be used is a fault of the domain."""
    found = dict(profile_files.shipped())
    for file in sorted((directory / DIRECTORY).glob("*.toml")):
        name = f"{DIRECTORY}/{file.name}"
        try:
            found[file.stem] = profile_files.parse(file.read_text(encoding="utf-8"), file.stem)
        except OSError as error:
            faults.append(Fault(name, "", f"cannot be read: {error.strerror}"))
        except ValueError as error:
            faults.append(Fault(name, "", str(error).removeprefix(f"{file.stem}: ")))
    return found
