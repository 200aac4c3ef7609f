package interop;

import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;

/** Stored queries that several stories ask. */
final class Queries {
    private Queries() {}

    static FindDocumentsQuery documents(Patient patient) {
        FindDocumentsQuery query = new FindDocumentsQuery();
        query.setPatientId(patient.xdsId());
        query.setStatus(Metadata.approved());
        return query;
    }
}
