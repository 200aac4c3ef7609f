"""HL7 v2 in ER7 (vertical bar) encoding: read, ask, build, acknowledge (ITI TF-2: Appendix C). Pure; no I/O.

``er7.parse`` and ``er7.serialize`` cross the wire, ``message`` is what lies between, ``compose`` builds messages and
answers, ``ack`` turns a ``Rejected`` into MSA and ERR.
"""
