"""A content provider for development: a page about the entry, made anew at each retrieval."""

from datetime import UTC, datetime

from xds.model import DocumentEntry
from xds.on_demand import Made


class DemonstrationContent:
    """Makes a plain text for any on-demand entry; a real one asks the system that holds the data."""

    def provide(self, entry: DocumentEntry) -> Made | None:
        """Say what the entry describes and when it was asked for."""
        title = entry.title[0].value if entry.title else "Document"
        made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"{title}\nMade on demand at {made} for {entry.patient_id}.\n"
        return Made(mime_type="text/plain", chunks=(text.encode(),))
