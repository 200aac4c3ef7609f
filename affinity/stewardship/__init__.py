"""The JSON API below ``/pix/stewardship``: for the people who look after identities, and their tools."""
