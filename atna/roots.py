"""A root to keep elsewhere: the newest batch as it was signed, and the key to verify it with.

Whoever has it can prove, from the records alone, that all of the trail up to there is still what it was.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta

from atna.batches import Batch, NotABatch, SealedBatch, read_header
from atna.entries import EPOCH
from atna.signing import UnusableKey, Verifier, verifier

FORMAT = "affinity audit root 1"


class NotARoot(ValueError):
    """The file is no root of an audit trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A signed batch header and its key."""

    batch: Batch
    signature: bytes
    verifier: Verifier

    @property
    def is_genuine(self) -> bool:
        """Claim that the key signed the header."""
        return self.verifier.signed(self.batch.header, self.signature)


def write_root(sealed: SealedBatch, key: Verifier) -> str:
    """A small JSON file. What a person reads in it beside the header is for them alone."""
    batch = sealed.batch
    at = EPOCH + timedelta(microseconds=batch.sealed_at)
    told = {
        "format": FORMAT,
        "batch": batch.number,
        "last_record": batch.last,
        "sealed_at": at.isoformat().replace("+00:00", "Z"),
        "root": batch.root.hex(),
        "header": b64encode(batch.header).decode(),
        "signature": b64encode(sealed.signature).decode(),
        "public_key": key.pem,
    }
    return json.dumps(told, indent=2) + "\n"


def read_root(text: str) -> Root:
    """Read one. Raises NotARoot."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise NotARoot(f"the file is not of the format {FORMAT!r}")
        header, signature = (b64decode(told[name], validate=True) for name in ("header", "signature"))
        return Root(batch=read_header(header), signature=signature, verifier=verifier(told["public_key"]))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise NotARoot("the file is no root of an audit trail") from error
    except (NotABatch, UnusableKey, ValueError) as error:
        raise NotARoot(str(error)) from error
