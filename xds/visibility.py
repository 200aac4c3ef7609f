"""What a requester may see: the one predicate under every query (ITI TF-2: 3.18.4.1.3.5).

It is applied before limits and counts, so that a hidden entry answers like an unknown one.
"""

from sqlalchemy import ColumnElement, true

from ihe.exchange import Exchange

EVERYTHING = true()


def visible_entries(exchange: Exchange) -> ColumnElement[bool]:
    """The predicate on ``xds.tables.document_entry`` of the entries that this requester may see: all of them."""
    return EVERYTHING
