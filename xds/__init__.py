"""XDS.b: Document Registry and Document Repository (ITI TF-1: 10)."""
