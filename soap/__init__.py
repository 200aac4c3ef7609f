"""The SOAP wire: hardened XML, envelopes, WS-Addressing, MTOM (pure); Spyne, twisted.web at the edge (ITI TF-2: V)."""
