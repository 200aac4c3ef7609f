"""Statements that profiles run often: compiled once, told to the driver as they are (SQLite and PostgreSQL)."""
