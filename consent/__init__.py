"""The shared care record's access rights (Dossier de Soins Partagé): who may see and add which documents of whom.

A profile of its own: it imports no other one, and ``affinity`` brings them together. Its parts:

``model``       values: parties, states of a record, relationships, exclusions, masks, access in emergencies
``tables``      ``consent_event``, which is only added to, and the projections made from it
``recording``   what can be done to a record; each function writes one event and its projections in the caller's
                transaction: ``create_record`` ``open_record`` ``suspend_record`` ``close_record`` ``delete_record``
                ``relate`` ``end_relationship`` ``exclude`` ``lift_exclusion`` ``mask`` ``unmask`` ``break_glass``
                ``review_glass``. Each takes ``(connection, patient, ..., act)``: an ``ihe.patients.Patient`` from the
                index, and an ``Act`` (actor, reason, time, origin); it returns the number of the event
``store``       the projections read back: ``facts(connection, keys)``, ``relationships_from(connection, source)``,
                ``unreviewed_emergencies(connection)``
``facts``       what holds of it for a patient, who may have several ids: ``facts(connection, keys).of(keys)``
``policy``      ``access.toml`` as values: professions by kinds of documents, confidentiality, purposes, emergencies
``decision``    who sees a document and why, pure: ``stand`` (what concerns the patient), ``judge`` (the document)
``viewing``     the same as what the registry keeps to (``ihe.access``), for the predicate of ``xds.visibility``
``log``         ``history(connection, patient)`` and ``rebuild(connection)``

Parties are made by ``model.professional(npi)``, ``model.person(name_id, issuer)``, ``model.organization(oid)``; those
of a verified assertion by ``model.parties(principal)``. A relationship that is derived (an encounter) names what it was
derived from in ``source``, and is found again by it, to be ended or prolonged.

Default deny, deny overrides. Ids that are merged are one patient while they are merged: what one of them forbids is
forbidden, what one allows is allowed unless something forbids it. When a merge is taken back, what was forbidden
meanwhile stays forbidden for each, and what was allowed meanwhile stays with the id that survived.
"""
