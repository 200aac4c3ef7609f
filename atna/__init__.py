"""Audit trail of the ATNA profile (ITI TF-1: 9; ITI TF-2: 3.20): messages, their store, its seals."""
