"""Citations: where a rule is written, so that an error can say so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """A section of a standard, for example ``ITI TF-3: 4.2.3.2.16``."""

    document: str
    section: str

    def __str__(self) -> str:
        return f"{self.document}: {self.section}"


def tf2(section: str) -> Citation:
    """Cite ITI TF-2 (transactions and appendices)."""
    return Citation("ITI TF-2", section)


def tf3(section: str) -> Citation:
    """Cite ITI TF-3 (metadata and content)."""
    return Citation("ITI TF-3", section)


def supplement(name: str, section: str) -> Citation:
    """Cite a trial implementation supplement, for example ``supplement("RMD", "3.62.4")``."""
    return Citation(f"ITI Suppl. {name}", section)
