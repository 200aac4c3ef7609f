"""Every table of every profile: what migrations compare with and tests create."""

from pix.tables import metadata as pix
from xds.tables import metadata as xds

METADATA = (pix, xds)
