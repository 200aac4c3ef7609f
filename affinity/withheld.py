"""One document that a store does not give, while it gives others: asking again later does not help."""

from collections.abc import Callable

from affinity.works import Result
from xds.documents import DocumentStore, StoreUnavailable
from xds.encryption import DamagedDocument


def given(store: DocumentStore, ask: Callable[[], Result]) -> Result:
    """What ``ask`` gives, which asks for one document.

    Raises DamagedDocument where the store answers, and twice not to this; StoreUnavailable where it does not answer.
    """
    try:
        return ask()
    except StoreUnavailable:
        next(iter(store.stored()), None)
    try:
        return ask()
    except StoreUnavailable as error:
        raise DamagedDocument(f"the store answers, and does not give the document: {error}") from error
