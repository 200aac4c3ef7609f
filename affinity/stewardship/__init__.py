"""The JSON API below ``PATH``: for the people who look after identities, and their tools."""

PATH = "/pix/stewardship"
TOKEN_FILE = "steward.token"
"""File of a development node's data directory that holds its steward's token, for clients on this machine."""
