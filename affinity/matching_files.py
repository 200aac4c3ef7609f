"""``matching.toml`` and ``matching.shadow.toml`` of a domain directory: the weights in force, and others on trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pix.matching.configuration import Configuration, default, parse

ACTIVE, SHADOW = "matching.toml", "matching.shadow.toml"


class WrongMatching(Exception):
    """A file that cannot be used; ``rules`` says everything that is wrong with it."""

    def __init__(self, file: str, rules: tuple[str, ...]) -> None:
        self.file, self.rules = file, rules
        super().__init__("\n".join(f"{file}: {each}" for each in rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingFiles:
    """The configuration in force, and one that is evaluated beside it without effect, if there is any."""

    active: Configuration
    shadow: Configuration | None = None


def read(directory: Path) -> MatchingFiles:
    """The configurations of a domain; the shipped one where it has none. Raises WrongMatching."""
    active = read_file(directory / ACTIVE) if (directory / ACTIVE).is_file() else default()
    shadow = read_file(directory / SHADOW) if (directory / SHADOW).is_file() else None
    if shadow is not None and shadow.version == active.version:
        rule = f'version: "{shadow.version}" is that of the active configuration; give the one on trial its own'
        raise WrongMatching(SHADOW, (rule,))
    return MatchingFiles(active=active, shadow=shadow)


def read_file(path: Path) -> Configuration:
    """One configuration. Raises WrongMatching."""
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise WrongMatching(path.name, (f"cannot be read: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise WrongMatching(path.name, (f"is not TOML in UTF-8: {error}",)) from error
    except ValueError as error:
        raise WrongMatching(path.name, tuple(_rules(path.name, error))) from error


def _rules(name: str, error: ValueError) -> Iterator[str]:
    return (line.removeprefix(f"{name}: ") for line in str(error).splitlines())
