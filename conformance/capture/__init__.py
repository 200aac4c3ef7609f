"""Capture what two real systems say to each other, take the patients out of it, and play it to a third system."""
