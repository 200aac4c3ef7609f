"""Every table of every profile: what migrations compare with and tests create."""

import importlib.util

METADATA = tuple(
    importlib.import_module(name).metadata
    for name in ("pix.tables", "xds.tables")
    if importlib.util.find_spec(name.split(".")[0]) and importlib.util.find_spec(name)
)
