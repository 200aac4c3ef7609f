"""WIRE: Authenticate Node [ITI-19] (ITI TF-2: 3.19): mutual TLS under SOAP and MLLP, and the places that peers hold."""
