"""What proves a verdict: a file for programs, one for build servers, a page for people, and every message."""
