"""Suites for clients: steps that wait until the client under test has done what they ask, and what then is judged."""
