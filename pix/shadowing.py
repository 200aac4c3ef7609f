"""A configuration on trial: it decides what the one in force decides, without effect; where they differ is kept."""

from collections.abc import Mapping

from ihe.identifiers import PatientKey
from pix import store_shadow
from pix.decisions import pair
from pix.journal import Change
from pix.matching.configuration import Configuration
from pix.matching.scoring import Comparison, compare
from pix.matching.subject import Subject
from pix.store_shadow import Difference


def try_out(
    change: Change,
    key: PatientKey,
    mine: Subject,
    compared: Mapping[PatientKey, tuple[Subject, Comparison]],
    configuration: Configuration,
) -> None:
    """Decide about a record and each one that it was compared with once more, and keep where the outcome differs."""
    store_shadow.forget(change.connection, key)
    for other, (theirs, comparison) in compared.items():
        tried = compare(mine, theirs, configuration)
        if tried.outcome is not comparison.outcome:
            found = Difference(
                pair=pair(key, other),
                at=change.timestamp,
                outcome=comparison.outcome.value,
                tried=tried.outcome.value,
                detail={"active": comparison.plain, "shadow": tried.plain},
            )
            store_shadow.put(change.connection, found)
