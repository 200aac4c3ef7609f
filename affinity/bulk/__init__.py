"""Patients in bulk: files of CSV or FHIR into the index and out of it."""
