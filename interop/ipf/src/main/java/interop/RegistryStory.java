package interop;

import static interop.Cases.expect;

import java.util.List;
import java.util.Map;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Association;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntryType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.LocalizedString;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.ObjectReference;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.SubmissionSet;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Version;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RemoveMetadata;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsForMultiplePatientsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.GetDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;

/** ITI-42, ITI-51, ITI-57, ITI-61 and ITI-62: what other actors than the repository ask of the registry. */
final class RegistryStory {
    private final Cases cases;
    private final Node node;
    private final Registry registry;
    private final String repository;
    private final Patient patient = Patient.invented("Thill", "Ada");
    private final Patient other = Patient.invented("Thill", "Bob");
    private final DocumentEntry entry = stable(patient);
    private final DocumentEntry others = stable(other);

    RegistryStory(Cases cases, Node node, String repository) {
        this.cases = cases;
        this.node = node;
        this.registry = new Registry(node);
        this.repository = repository;
    }

    void tell() {
        register();
        queryForMany();
        onDemand();
        update();
        removeMetadata();
    }

    private void register() {
        cases.run("ITI-42", "documents of two patients are registered", () -> {
            registry.announce(patient);
            registry.announce(other);
            Registry.succeeded(register(request(Metadata.submissionSet(patient), entry)));
            return Registry.succeeded(register(request(Metadata.submissionSet(other), others)));
        });
        cases.run("ITI-42", "extra metadata are kept", () -> {
            DocumentEntry extra = stable(patient);
            extra.setExtraMetadata(Map.of("urn:oid:1.3.6.1.4.1.21367.13.20.4242.1", List.of("kept", "both")));
            Registry.succeeded(register(request(Metadata.submissionSet(patient), extra)));
            DocumentEntry found = get(extra);
            expect(extra.getExtraMetadata().equals(found.getExtraMetadata()), "" + found.getExtraMetadata());
            return "";
        });
        cases.run("ITI-42", "hash and size are required", () -> {
            DocumentEntry bare = stable(patient);
            bare.setHash(null);
            bare.setSize(null);
            return Registry.refused(register(request(Metadata.submissionSet(patient), bare)), "METADATA_ERROR");
        });
        cases.run("ITI-42", "two patients in one submission are refused", () -> Registry.refused(
                register(request(Metadata.submissionSet(patient), stable(other))), "PATIENT_ID_DOES_NOT_MATCH"));
    }

    private void queryForMany() {
        cases.run("ITI-51", "documents of two patients, as references", () -> {
            QueryResponse answer = forMany(QueryReturnType.OBJECT_REF, patient, other);
            Registry.succeeded(answer);
            expect(answer.getReferences().size() >= 2, answer.getReferences().size() + " references");
            return answer.getReferences().size() + " references";
        });
        cases.run("ITI-51", "documents of two patients, in full", () -> {
            QueryResponse answer = forMany(QueryReturnType.LEAF_CLASS, patient, other);
            Registry.succeeded(answer);
            Registry.entry(answer, entry.getUniqueId());
            Registry.entry(answer, others.getUniqueId());
            return answer.getDocumentEntries().size() + " entries";
        });
        cases.run("ITI-51", "an unknown patient among them", () -> Registry.refused(
                forMany(QueryReturnType.LEAF_CLASS, patient, Patient.invented("No", "No")), "UNKNOWN_PATIENT_ID"));
    }

    private void onDemand() {
        DocumentEntry summary = Metadata.entry(patient, "Summary", "text/plain");
        summary.setType(DocumentEntryType.ON_DEMAND);
        summary.setCreationTime((String) null);
        summary.setRepositoryUniqueId(repository);
        // Optional by ITI TF-3: Table 4.3.1-3, but IPF cannot read the answer that holds it, and 3.61.4.1.2 advises against it.
        summary.setLegalAuthenticator(null);
        cases.run("ITI-61", "an on-demand entry is registered", () -> Registry.succeeded(
                registerOnDemand(request(Metadata.submissionSet(patient), summary))));
        cases.run("ITI-61", "it is found only when asked for", () -> {
            FindDocumentsQuery query = Queries.documents(patient);
            QueryResponse stable = registry.query(query, QueryReturnType.LEAF_CLASS);
            expect(stable.getDocumentEntries().stream().noneMatch(each -> each.getUniqueId().equals(summary.getUniqueId())),
                    "found among stable entries");
            query.setDocumentEntryTypes(List.of(DocumentEntryType.ON_DEMAND));
            Registry.entry(registry.query(query, QueryReturnType.LEAF_CLASS), summary.getUniqueId());
            return "";
        });
        cases.run("ITI-61", "a stable entry is refused", () -> Registry.refused(
                registerOnDemand(request(Metadata.submissionSet(patient), stable(patient))), "METADATA_ERROR"));
    }

    private void update() {
        cases.run("ITI-57", "a new title makes version 2", () -> {
            Registry.succeeded(update(revised(get(entry), "1")));
            GetDocumentsQuery query = new GetDocumentsQuery();
            query.setUniqueIds(List.of(entry.getUniqueId()));
            query.setMetadataLevel(2);
            List<DocumentEntry> versions = registry.query(query, QueryReturnType.LEAF_CLASS).getDocumentEntries();
            DocumentEntry second = versions.stream().filter(each -> "2".equals(each.getVersion().getVersionName()))
                    .findFirst().orElseThrow(() -> new AssertionError("no version 2"));
            expect("Nouveau titre".equals(second.getTitle().getValue()), second.getTitle().getValue());
            expect(entry.getEntryUuid().equals(second.getLogicalUuid()), "logicalID " + second.getLogicalUuid());
            return versions.size() + " versions";
        });
        cases.run("ITI-57", "a version that is not the newest is refused", () -> Registry.refused(
                update(revised(get(entry), "1")), ""));
    }

    private void removeMetadata() {
        cases.run("ITI-62", "an entry that is in use is refused", () -> Registry.refused(remove(others.getEntryUuid()), ""));
        cases.run("ITI-62", "an unknown object is refused", () -> Registry.refused(
                remove("urn:uuid:00000000-0000-4000-8000-000000000000"), ""));
        cases.run("ITI-62", "a whole submission is removed", () -> {
            SubmissionSet set = Metadata.submissionSet(other);
            DocumentEntry gone = stable(other);
            RegisterDocumentSet request = request(set, gone);
            Registry.succeeded(register(request));
            String member = request.getAssociations().get(0).getEntryUuid();
            Registry.succeeded(remove(set.getEntryUuid(), gone.getEntryUuid(), member));
            GetDocumentsQuery query = new GetDocumentsQuery();
            query.setUuids(List.of(gone.getEntryUuid()));
            expect(registry.query(query, QueryReturnType.LEAF_CLASS).getDocumentEntries().isEmpty(), "still there");
            return "";
        });
    }

    /** The update of an entry as ITI-57 wants it: a new id, the logicalID kept, PreviousVersion on the association. */
    private RegisterDocumentSet revised(DocumentEntry current, String previous) {
        current.setLogicalUuid(current.getLogicalUuid() == null ? current.getEntryUuid() : current.getLogicalUuid());
        current.assignEntryUuid();
        current.setTitle(new LocalizedString("Nouveau titre"));
        current.setVersion(new Version(previous));
        current.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        SubmissionSet set = Metadata.submissionSet(patient);
        RegisterDocumentSet request = request(set, current);
        Association member = request.getAssociations().get(0);
        member.setPreviousVersion(previous);
        return request;
    }

    private DocumentEntry get(DocumentEntry wanted) throws Exception {
        GetDocumentsQuery query = new GetDocumentsQuery();
        query.setUniqueIds(List.of(wanted.getUniqueId()));
        return Registry.entry(registry.query(query, QueryReturnType.LEAF_CLASS), wanted.getUniqueId());
    }

    private QueryResponse forMany(QueryReturnType type, Patient... patients) throws Exception {
        FindDocumentsForMultiplePatientsQuery query = new FindDocumentsForMultiplePatientsQuery();
        query.setPatientIds(java.util.Arrays.stream(patients).map(Patient::xdsId).toList());
        query.setStatus(Metadata.approved());
        query.setClassCodes(List.of(entry.getClassCode()));
        return node.soap("xds-iti51", "/xds/registry", new QueryRegistry(query, type), QueryResponse.class,
                XdsCamelValidators.iti51ResponseValidator());
    }

    private Response register(RegisterDocumentSet request) throws Exception {
        return node.soap("xds-iti42", "/xds/registry", request, Response.class, XdsCamelValidators.iti42ResponseValidator());
    }

    private Response registerOnDemand(RegisterDocumentSet request) throws Exception {
        return node.soap("xds-iti61", "/xds/registry", request, Response.class, XdsCamelValidators.iti61ResponseValidator());
    }

    private Response update(RegisterDocumentSet request) throws Exception {
        return node.soap("xds-iti57", "/xds/registry", request, Response.class, XdsCamelValidators.iti57ResponseValidator());
    }

    private Response remove(String... uuids) throws Exception {
        RemoveMetadata request = new RemoveMetadata();
        for (String uuid : uuids) {
            request.getReferences().add(new ObjectReference(uuid));
        }
        return node.soap("rmd-iti62", "/xds/registry", request, Response.class, XdsCamelValidators.iti62ResponseValidator());
    }

    private DocumentEntry stable(Patient whose) {
        DocumentEntry entry = Metadata.entry(whose, "Registered", "text/plain");
        entry.setHash("da39a3ee5e6b4b0d3255bfef95601890afd80709");
        entry.setSize(4711L);
        entry.setRepositoryUniqueId("1.3.6.1.4.1.21367.13.20.4242.9");
        return entry;
    }

    private static RegisterDocumentSet request(SubmissionSet set, DocumentEntry... entries) {
        RegisterDocumentSet request = new RegisterDocumentSet();
        request.setSubmissionSet(set);
        for (DocumentEntry entry : entries) {
            request.getDocumentEntries().add(entry);
            request.getAssociations().add(Metadata.original(set, entry));
        }
        return request;
    }
}
