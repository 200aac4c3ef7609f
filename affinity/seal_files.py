"""The files of the data directory by which the audit trail is proved: the key of its seals, and the newest root."""

from pathlib import Path

from sqlalchemy import Engine

from affinity.data_directory import UnusableData
from atna import store_batches

KEY, ROOT = "audit-seal.key", "audit-root.json"
"""The root tells a trail from which the end was cut off."""


def require_key(engine: Engine, data: Path) -> None:
    """Let no other key be made for a trail that is sealed. Raises UnusableData: its key is missing.

    What a new key seals would be found forged once the old one is there again.
    """
    if (data / KEY).exists():
        return
    with engine.connect() as connection:
        if store_batches.newest(connection) is None:
            return
    raise UnusableData(
        f"{data / KEY} is missing, but the audit trail is sealed with it; restore it from a backup, or copy it from "
        "another node of this database. If it is lost for good, make another (openssl genpkey -algorithm ed25519 -out "
        f"{data / KEY}): what is sealed by now can then be proved by its old public key alone, which roots have"
    )
