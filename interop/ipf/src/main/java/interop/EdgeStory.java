package interop;

import static interop.Cases.expect;

import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Association;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationLabel;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Document;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntryType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Folder;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.SubmissionSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.ProvideAndRegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsByTitleQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.GetDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.GetFolderAndContentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryList;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.platform.camel.ihe.hl7v3.PixPdqV3CamelValidators;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;

/** What is rarer on the wire: quotes in ids, every alphabet, many documents, many clients, every kind of relationship. */
final class EdgeStory {
    private final Cases cases;
    private final Node node;
    private final Registry registry;
    private final String repository;
    private final Patient patient = Patient.invented("Edge", "Eve");
    private final Document original = document(patient, "original");
    private final Folder folder = Metadata.folder(patient, "Folder");

    EdgeStory(Cases cases, Node node, String repository) {
        this.cases = cases;
        this.node = node;
        this.registry = new Registry(node);
        this.repository = repository;
    }

    void tell() {
        spelling();
        relationships();
        updates();
        queries();
        many();
    }

    private void spelling() {
        cases.run("ITI-18", "an apostrophe in the patient id", () -> {
            Patient quoted = new Patient("O'" + patient.id(), "O'Neil", "Ann", "19610307");
            registry.announce(quoted);
            Document document = document(quoted, "quoted");
            Registry.succeeded(provide(request(quoted, document)));
            QueryResponse answer = registry.query(Queries.documents(quoted), QueryReturnType.LEAF_CLASS);
            return "" + Registry.entry(answer, document.getDocumentEntry().getUniqueId()).getPatientId().getId();
        });
        cases.run("ITI-47", "separators, Greek, CJK and emoji in names, fed by HL7 v2", () -> {
            String tail = patient.id();
            String escaped = "M\\T\\S \\F\\ Ζωή 😀 李" + tail;
            Patient spelled = new Patient("S" + tail, escaped, "A\\S\\B", "19610307");
            registry.announce(spelled);
            String family = "M&amp;S | Ζωή 😀 李" + tail;
            String answer = node.soap("pdqv3-iti47", "/pdq", V3.demographicsQuery(family, 0), String.class,
                    PixPdqV3CamelValidators.iti47ResponseValidator());
            expect(answer.contains(family), answer);
            expect(answer.contains("A^B"), answer);
            return "";
        });
        cases.run("ITI-41", "titles in every alphabet", () -> {
            Document document = document(patient, "alphabets");
            String title = "Ärzte & <Ζωή> \"李\" 😀 ' \u00a0é";
            document.getDocumentEntry().getTitle().setValue(title);
            registry.announce(patient);
            Registry.succeeded(provide(request(patient, document)));
            String found = get(document.getDocumentEntry()).getTitle().getValue();
            expect(title.equals(found), found);
            return found;
        });
    }

    private void relationships() {
        cases.run("ITI-41", "APND", () -> {
            Registry.succeeded(provide(request(patient, original)));
            return related(AssociationType.APPEND, AvailabilityStatus.APPROVED);
        });
        cases.run("ITI-41", "XFRM", () -> related(AssociationType.TRANSFORM, AvailabilityStatus.APPROVED));
        cases.run("ITI-41", "a folder; later a document into it by reference", () -> {
            SubmissionSet set = Metadata.submissionSet(patient);
            ProvideAndRegisterDocumentSet first = new ProvideAndRegisterDocumentSet();
            first.setSubmissionSet(set);
            first.getFolders().add(folder);
            first.getAssociations().add(Metadata.member(set.getEntryUuid(), folder.getEntryUuid()));
            Registry.succeeded(provide(first));
            ProvideAndRegisterDocumentSet second = new ProvideAndRegisterDocumentSet();
            second.setSubmissionSet(Metadata.submissionSet(patient));
            Association filed = Metadata.member(folder.getEntryUuid(), original.getDocumentEntry().getEntryUuid());
            second.getAssociations().add(filed);
            second.getAssociations().add(Metadata.member(second.getSubmissionSet().getEntryUuid(), filed.getEntryUuid()));
            second.getAssociations().add(reference(second.getSubmissionSet(), original.getDocumentEntry()));
            Registry.succeeded(provide(second));
            GetFolderAndContentsQuery contents = new GetFolderAndContentsQuery();
            contents.setUniqueId(folder.getUniqueId());
            QueryResponse answer = registry.query(contents, QueryReturnType.LEAF_CLASS);
            return Registry.entry(answer, original.getDocumentEntry().getUniqueId()).getTitle().getValue();
        });
        cases.run("ITI-41", "the same uniqueId with the same bytes", () -> {
            Document again = document(patient, "original");
            again.getDocumentEntry().setUniqueId(original.getDocumentEntry().getUniqueId());
            return Registry.succeeded(provide(request(patient, again)));
        });
        cases.run("ITI-41", "the same uniqueId with other bytes is refused", () -> {
            Document other = document(patient, "forgery");
            other.getDocumentEntry().setUniqueId(original.getDocumentEntry().getUniqueId());
            return Registry.refused(provide(request(patient, other)), "NON_IDENTICAL_HASH");
        });
        cases.run("ITI-41", "XFRM_RPLC", () -> related(AssociationType.TRANSFORM_AND_REPLACE, AvailabilityStatus.DEPRECATED));
    }

    /** Submits a document that is related to the original; the original then has {@code status}. */
    private String related(AssociationType type, AvailabilityStatus status) throws Exception {
        Document document = document(patient, type.name());
        ProvideAndRegisterDocumentSet request = request(patient, document);
        String source = document.getDocumentEntry().getEntryUuid();
        Association relation = new Association(type, null, source, original.getDocumentEntry().getEntryUuid());
        relation.assignEntryUuid();
        request.getAssociations().add(relation);
        Registry.succeeded(provide(request));
        GetDocumentsQuery get = new GetDocumentsQuery();
        get.setUuids(List.of(original.getDocumentEntry().getEntryUuid()));
        DocumentEntry now = registry.query(get, QueryReturnType.LEAF_CLASS).getDocumentEntries().get(0);
        expect(now.getAvailabilityStatus() == status, "the original is " + now.getAvailabilityStatus());
        return "the original is " + status;
    }

    private void updates() {
        Document document = document(patient, "status");
        cases.run("ITI-57", "an entry is deprecated by UpdateAvailabilityStatus", () -> {
            Registry.succeeded(provide(request(patient, document)));
            Association change = new Association(AssociationType.UPDATE_AVAILABILITY_STATUS, null, null, null);
            change.assignEntryUuid();
            change.setTargetUuid(document.getDocumentEntry().getEntryUuid());
            change.setOriginalStatus(AvailabilityStatus.APPROVED);
            change.setNewStatus(AvailabilityStatus.DEPRECATED);
            Registry.succeeded(update(change));
            AvailabilityStatus status = get(document.getDocumentEntry()).getAvailabilityStatus();
            expect(status == AvailabilityStatus.DEPRECATED, "" + status);
            return "";
        });
        cases.run("ITI-57", "a status that it has not is refused", () -> {
            Association change = new Association(AssociationType.UPDATE_AVAILABILITY_STATUS, null, null, null);
            change.assignEntryUuid();
            change.setTargetUuid(document.getDocumentEntry().getEntryUuid());
            change.setOriginalStatus(AvailabilityStatus.APPROVED);
            change.setNewStatus(AvailabilityStatus.DEPRECATED);
            return Registry.refused(update(change), "");
        });
    }

    private Response update(Association change) throws Exception {
        RegisterDocumentSet request = new RegisterDocumentSet();
        request.setSubmissionSet(Metadata.submissionSet(patient));
        change.setSourceUuid(request.getSubmissionSet().getEntryUuid());
        request.getAssociations().add(change);
        return node.soap("xds-iti57", "/xds/registry", request, Response.class, XdsCamelValidators.iti57ResponseValidator());
    }

    private void queries() {
        cases.run("ITI-18", "stable and on-demand entries, codes joined by AND", () -> {
            FindDocumentsQuery query = Queries.documents(patient);
            query.setDocumentEntryTypes(List.of(DocumentEntryType.STABLE, DocumentEntryType.ON_DEMAND));
            QueryList<org.openehealth.ipf.commons.ihe.xds.core.metadata.Code> codes = new QueryList<>();
            codes.getOuterList().add(List.of(Metadata.code("MPQ-eventcode-1", "", Metadata.OWN)));
            query.setEventCodes(codes);
            int one = registry.query(query, QueryReturnType.LEAF_CLASS).getDocumentEntries().size();
            codes.getOuterList().add(List.of(Metadata.code("MPQ-eventcode-2", "", Metadata.OWN)));
            int both = registry.query(query, QueryReturnType.LEAF_CLASS).getDocumentEntries().size();
            expect(one > 0 && both == 0, one + " and " + both);
            return one + " and " + both;
        });
        cases.run("ITI-18", "statuses joined by OR", () -> {
            FindDocumentsQuery query = Queries.documents(patient);
            int approved = registry.query(query, QueryReturnType.OBJECT_REF).getReferences().size();
            query.setStatus(List.of(AvailabilityStatus.APPROVED, AvailabilityStatus.DEPRECATED));
            int all = registry.query(query, QueryReturnType.OBJECT_REF).getReferences().size();
            expect(all > approved, approved + " of " + all);
            return approved + " of " + all;
        });
        cases.run("ITI-18", "a query that IHE does not have is refused", () -> {
            FindDocumentsByTitleQuery query = new FindDocumentsByTitleQuery();
            query.setPatientId(patient.xdsId());
            query.setStatus(Metadata.approved());
            query.setTitle(List.of("%status%"));
            return Registry.refused(registry.ask(query, QueryReturnType.LEAF_CLASS), "UNKNOWN_STORED_QUERY");
        });
    }

    private void many() {
        Patient busy = Patient.invented("Busy", "Bea");
        List<Document> documents = new ArrayList<>();
        for (int number = 0; number < 60; number++) {
            documents.add(document(busy, "Number " + number));
        }
        cases.run("ITI-41", "60 documents in one submission", () -> {
            registry.announce(busy);
            return Registry.succeeded(provide(request(busy, documents.toArray(Document[]::new))));
        });
        cases.run("ITI-43", "60 documents in one answer", () -> {
            RetrieveDocumentSet request = new RetrieveDocumentSet();
            documents.forEach(each -> request.getDocuments().add(
                    new DocumentReference(repository, each.getDocumentEntry().getUniqueId(), null)));
            RetrievedDocumentSet answer = node.soap("xds-iti43", "/xds/repository", request, RetrievedDocumentSet.class,
                    XdsCamelValidators.iti43ResponseValidator());
            expect(answer.getDocuments().size() == 60, answer.getDocuments().size() + " documents");
            return "60 documents";
        });
        cases.run("ITI-41", "8 clients at once, 10 submissions and queries each", () -> {
            ExecutorService clients = Executors.newFixedThreadPool(8);
            List<Future<?>> running = new ArrayList<>();
            for (int number = 0; number < 80; number++) {
                String content = "Parallel " + number;
                running.add(clients.submit(() -> {
                    Document document = document(busy, content);
                    Registry.succeeded(provide(request(busy, document)));
                    get(document.getDocumentEntry());
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            clients.shutdown();
            int found = registry.query(Queries.documents(busy), QueryReturnType.OBJECT_REF).getReferences().size();
            expect(found == 140, found + " of 140 documents");
            return found + " documents";
        });
    }

    private DocumentEntry get(DocumentEntry wanted) throws Exception {
        GetDocumentsQuery query = new GetDocumentsQuery();
        query.setUuids(List.of(wanted.getEntryUuid()));
        return Registry.entry(registry.query(query, QueryReturnType.LEAF_CLASS), wanted.getUniqueId());
    }

    private Response provide(ProvideAndRegisterDocumentSet request) throws Exception {
        return node.soap("xds-iti41", "/xds/repository", request, Response.class, XdsCamelValidators.iti41ResponseValidator());
    }

    private static ProvideAndRegisterDocumentSet request(Patient whose, Document... documents) {
        SubmissionSet set = Metadata.submissionSet(whose);
        ProvideAndRegisterDocumentSet request = new ProvideAndRegisterDocumentSet();
        request.setSubmissionSet(set);
        for (Document each : documents) {
            request.getDocuments().add(each);
            request.getAssociations().add(Metadata.original(set, each.getDocumentEntry()));
        }
        return request;
    }

    private static Association reference(SubmissionSet set, DocumentEntry entry) {
        Association member = Metadata.member(set.getEntryUuid(), entry.getEntryUuid());
        member.setLabel(AssociationLabel.REFERENCE);
        return member;
    }

    /** A document that holds its own title. */
    private static Document document(Patient whose, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        DocumentEntry entry = Metadata.entry(whose, content, "text/plain");
        return new Document(entry, new DataHandler(new ByteArrayDataSource(bytes, "text/plain")));
    }
}
