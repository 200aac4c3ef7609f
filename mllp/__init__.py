"""HL7 v2 over TCP: the Minimal Lower Layer Protocol, plain or with mutual TLS (ITI TF-2: C.2.1, 3.19)."""
