"""Cross-Enterprise User Assertion: the X-Service Provider and a development issuer (ITI TF-1: 13; ITI TF-2: 3.40)."""
