"""Every table of every profile: what migrations compare with and tests create."""

from affinity.tables_commits import metadata as commits
from atna.tables import metadata as atna
from atna.tables_exchange import metadata as atna_exchange
from consent.tables import metadata as consent
from pix.tables import metadata as pix
from pix.tables_encounters import metadata as encounters
from pix.tables_loads import metadata as pix_loads
from pix.tables_notifications import metadata as pix_notifications
from pix.tables_trial import metadata as pix_trial
from xds.tables import metadata as xds

METADATA = (atna, atna_exchange, commits, consent, pix, encounters, pix_loads, pix_notifications, pix_trial, xds)
