package interop;

import static interop.Cases.expect;

import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Association;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Document;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Folder;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.SubmissionSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.ProvideAndRegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RemoveDocuments;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.*;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocument;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;

/** ITI-41, ITI-18, ITI-43 and ITI-86: documents go in, are found, come out byte for byte, are replaced and removed. */
final class DocumentStory {
    private static final byte[] TEXT = "Rapport\r\nRésultat: 4,2\r\n--boundary--\r\n".getBytes();

    private final Cases cases;
    private final Registry registry;
    private final Node node;
    private final String repository;
    private final Patient patient = Patient.invented("Wagner-Noël", "Zoé");
    private final byte[] large = new byte[5_000_000];
    private final DocumentEntry binary = Metadata.entry(patient, "Binäre Daten", "application/pdf");
    private final DocumentEntry text = Metadata.entry(patient, "Texte <CRLF> & \"guillemets\"", "text/plain");
    private final DocumentEntry replacement = Metadata.entry(patient, "Corrigé", "text/plain");
    private final Folder folder = Metadata.folder(patient, "Dossier");
    private final SubmissionSet first = Metadata.submissionSet(patient);

    DocumentStory(Cases cases, Node node, String repository) {
        this.cases = cases;
        this.node = node;
        this.registry = new Registry(node);
        this.repository = repository;
        new Random(42).nextBytes(large);
    }

    void tell() {
        submit();
        find();
        retrieve();
        replace();
        mergeAndRemove();
    }

    private void submit() {
        cases.run("ITI-41", "two documents and a folder: 5 MB, and text that ends in CRLF", () -> {
            registry.announce(patient);
            ProvideAndRegisterDocumentSet request = request(first, document(binary, large), document(text, TEXT));
            request.getFolders().add(folder);
            request.getAssociations().add(Metadata.member(first.getEntryUuid(), folder.getEntryUuid()));
            Association filed = Metadata.member(folder.getEntryUuid(), text.getEntryUuid());
            request.getAssociations().add(filed);
            request.getAssociations().add(Metadata.member(first.getEntryUuid(), filed.getEntryUuid()));
            return Registry.succeeded(provide(request));
        });
        cases.run("ITI-41", "symbolic ids", () -> {
            DocumentEntry entry = Metadata.entry(patient, "Symbolic", "text/plain");
            SubmissionSet set = Metadata.submissionSet(patient);
            entry.setEntryUuid("Document01");
            set.setEntryUuid("SubmissionSet01");
            return Registry.succeeded(provide(request(set, document(entry, "symbolic".getBytes()))));
        });
        cases.run("ITI-41", "the toolkit's builder writes the associations", () -> {
            Document document = document(Metadata.entry(patient, "Built", "text/plain"), "built".getBytes());
            SubmissionSet set = Metadata.submissionSet(patient);
            return Registry.succeeded(provide(
                    ProvideAndRegisterDocumentSet.supportiveBuilderWith(set).withDocument(document).build()));
        });
        refusals();
    }

    private void refusals() {
        cases.run("ITI-41", "a wrong hash is refused", () -> {
            DocumentEntry entry = Metadata.entry(patient, "Hash", "text/plain");
            entry.setHash("da39a3ee5e6b4b0d3255bfef95601890afd80709");
            return Registry.refused(provide(request(Metadata.submissionSet(patient), document(entry, TEXT))), "Hash");
        });
        cases.run("ITI-41", "an unknown patient is refused", () -> {
            Patient nobody = Patient.invented("Nobody", "No");
            DocumentEntry entry = Metadata.entry(nobody, "Nobody's", "text/plain");
            Response answer = provide(request(Metadata.submissionSet(nobody), document(entry, TEXT)));
            return Registry.refused(answer, "UNKNOWN_PATIENT_ID");
        });
        cases.run("ITI-41", "metadata without document are refused", () -> {
            DocumentEntry entry = Metadata.entry(patient, "Empty", "text/plain");
            Response answer = provide(request(Metadata.submissionSet(patient), new Document(entry, null)));
            return Registry.refused(answer, "MISSING_DOCUMENT");
        });
        cases.run("ITI-41", "a code of no list is refused", () -> {
            DocumentEntry entry = Metadata.entry(patient, "Code", "text/plain");
            entry.setClassCode(Metadata.code("NO-SUCH-CODE", "none", Metadata.OWN));
            Response answer = provide(request(Metadata.submissionSet(patient), document(entry, TEXT)));
            return Registry.refused(answer, "REGISTRY_METADATA_ERROR");
        });
    }

    private void find() {
        cases.run("ITI-18", "FindDocuments returns what was sent", () -> {
            QueryResponse answer = registry.query(Queries.documents(patient), QueryReturnType.LEAF_CLASS);
            DocumentEntry found = Registry.entry(answer, text.getUniqueId());
            expect(text.getTitle().equals(found.getTitle()), "title " + found.getTitle());
            expect(text.getComments().equals(found.getComments()), "comments " + found.getComments());
            expect(text.getAuthors().equals(found.getAuthors()), "authors " + found.getAuthors());
            expect(text.getReferenceIdList().equals(found.getReferenceIdList()), "" + found.getReferenceIdList());
            expect(text.getSourcePatientInfo().equals(found.getSourcePatientInfo()), "" + found.getSourcePatientInfo());
            expect(text.getLegalAuthenticator().equals(found.getLegalAuthenticator()), "" + found.getLegalAuthenticator());
            expect(text.getServiceStartTime().equals(found.getServiceStartTime()), "" + found.getServiceStartTime());
            expect(found.getSize() == TEXT.length, "size " + found.getSize());
            expect(Metadata.sha1(TEXT).equalsIgnoreCase(found.getHash()), "hash " + found.getHash());
            expect(repository.equals(found.getRepositoryUniqueId()), "repository " + found.getRepositoryUniqueId());
            return answer.getDocumentEntries().size() + " entries";
        });
        cases.run("ITI-18", "FindDocuments as ObjectRef", () -> {
            QueryResponse answer = registry.query(Queries.documents(patient), QueryReturnType.OBJECT_REF);
            expect(answer.getReferences().size() >= 2, answer.getReferences().size() + " references");
            return answer.getReferences().size() + " references";
        });
        cases.run("ITI-18", "FindDocuments with every filter", () -> {
            FindDocumentsQuery query = Queries.documents(patient);
            query.setClassCodes(List.of(text.getClassCode()));
            query.setTypeCodes(List.of(text.getTypeCode()));
            query.setPracticeSettingCodes(List.of(text.getPracticeSettingCode()));
            query.setHealthcareFacilityTypeCodes(List.of(text.getHealthcareFacilityTypeCode()));
            query.setFormatCodes(List.of(text.getFormatCode()));
            query.setEventCodes(new QueryList<>(text.getEventCodeList().get(0)));
            query.setConfidentialityCodes(new QueryList<>(text.getConfidentialityCodes().get(0)));
            query.setAuthorPersons(List.of("%Berg%"));
            query.getCreationTime().setFrom("2026");
            query.getCreationTime().setTo("20260103");
            query.getServiceStartTime().setFrom("20260102");
            Registry.entry(registry.query(query, QueryReturnType.LEAF_CLASS), text.getUniqueId());
            query.getCreationTime().setTo("20260102");
            QueryResponse none = registry.query(query, QueryReturnType.LEAF_CLASS);
            expect(none.getDocumentEntries().isEmpty(), "creationTime before 20260102 found something");
            return "";
        });
        cases.run("ITI-18", "FindDocumentsByReferenceId", () -> {
            FindDocumentsByReferenceIdQuery query = new FindDocumentsByReferenceIdQuery();
            query.setPatientId(patient.xdsId());
            query.setStatus(Metadata.approved());
            query.setTypedReferenceIds(new QueryList<>(Metadata.reference("ORDER-" + patient.id())));
            Registry.entry(registry.query(query, QueryReturnType.LEAF_CLASS), text.getUniqueId());
            query.setTypedReferenceIds(new QueryList<>(Metadata.reference("OTHER")));
            expect(registry.query(query, QueryReturnType.LEAF_CLASS).getDocumentEntries().isEmpty(), "found by OTHER");
            return "";
        });
        findPackages();
        cases.run("ITI-18", "an unknown patient is refused", () -> Registry.refused(
                registry.ask(Queries.documents(Patient.invented("No", "No")), QueryReturnType.LEAF_CLASS), "UNKNOWN_PATIENT_ID"));
        cases.run("ITI-18", "a missing parameter is refused", () -> {
            FindDocumentsQuery query = Queries.documents(patient);
            query.setStatus(null);
            return Registry.refused(registry.ask(query, QueryReturnType.LEAF_CLASS), "STORED_QUERY_MISSING_PARAM");
        });
    }

    private void findPackages() {
        cases.run("ITI-18", "FindFolders, GetFolders, GetFolderAndContents, GetFoldersForDocument", () -> {
            FindFoldersQuery find = new FindFoldersQuery();
            find.setPatientId(patient.xdsId());
            find.setStatus(Metadata.approved());
            find.setCodes(new QueryList<>(folder.getCodeList().get(0)));
            Registry.folder(registry.query(find, QueryReturnType.LEAF_CLASS), folder);
            GetFoldersQuery get = new GetFoldersQuery();
            get.setUniqueIds(List.of(folder.getUniqueId()));
            Registry.folder(registry.query(get, QueryReturnType.LEAF_CLASS), folder);
            GetFolderAndContentsQuery contents = new GetFolderAndContentsQuery();
            contents.setUuid(folder.getEntryUuid());
            QueryResponse answer = registry.query(contents, QueryReturnType.LEAF_CLASS);
            Registry.entry(answer, text.getUniqueId());
            GetFoldersForDocumentQuery holding = new GetFoldersForDocumentQuery();
            holding.setUniqueId(text.getUniqueId());
            Registry.folder(registry.query(holding, QueryReturnType.LEAF_CLASS), folder);
            return answer.getAssociations().size() + " association(s) in the folder";
        });
        cases.run("ITI-18", "FindSubmissionSets, GetSubmissionSets, GetSubmissionSetAndContents", () -> {
            FindSubmissionSetsQuery find = new FindSubmissionSetsQuery();
            find.setPatientId(patient.xdsId());
            find.setStatus(Metadata.approved());
            find.setSourceIds(List.of(first.getSourceId()));
            find.setAuthorPerson("%Berg%");
            find.getSubmissionTime().setFrom("2020");
            QueryResponse sets = registry.query(find, QueryReturnType.LEAF_CLASS);
            expect(sets.getSubmissionSets().size() >= 3, sets.getSubmissionSets().size() + " sets");
            GetSubmissionSetsQuery get = new GetSubmissionSetsQuery();
            get.setUuids(List.of(text.getEntryUuid()));
            expect(registry.query(get, QueryReturnType.LEAF_CLASS).getSubmissionSets().size() == 1, "not one set");
            GetSubmissionSetAndContentsQuery contents = new GetSubmissionSetAndContentsQuery();
            contents.setUniqueId(first.getUniqueId());
            QueryResponse answer = registry.query(contents, QueryReturnType.LEAF_CLASS);
            expect(answer.getDocumentEntries().size() == 2, answer.getDocumentEntries().size() + " entries");
            expect(answer.getFolders().size() == 1, answer.getFolders().size() + " folders");
            return answer.getAssociations().size() + " associations";
        });
        cases.run("ITI-18", "GetAll, GetDocuments, GetAssociations, GetDocumentsAndAssociations", () -> {
            GetAllQuery all = new GetAllQuery();
            all.setPatientId(patient.xdsId());
            all.setStatusDocuments(Metadata.approved());
            all.setStatusFolders(Metadata.approved());
            all.setStatusSubmissionSets(Metadata.approved());
            QueryResponse everything = registry.query(all, QueryReturnType.LEAF_CLASS);
            Registry.folder(everything, folder);
            GetDocumentsQuery get = new GetDocumentsQuery();
            get.setUniqueIds(List.of(text.getUniqueId(), binary.getUniqueId()));
            expect(registry.query(get, QueryReturnType.LEAF_CLASS).getDocumentEntries().size() == 2, "not two documents");
            GetAssociationsQuery associations = new GetAssociationsQuery();
            associations.setUuids(List.of(text.getEntryUuid()));
            expect(registry.query(associations, QueryReturnType.LEAF_CLASS).getAssociations().size() == 2, "not two");
            GetDocumentsAndAssociationsQuery both = new GetDocumentsAndAssociationsQuery();
            both.setUniqueIds(List.of(text.getUniqueId()));
            QueryResponse answer = registry.query(both, QueryReturnType.LEAF_CLASS);
            expect(answer.getAssociations().size() == 2, answer.getAssociations().size() + " associations");
            return everything.getAssociations().size() + " associations in all";
        });
    }

    private void retrieve() {
        cases.run("ITI-43", "two documents, byte for byte", () -> {
            RetrievedDocumentSet answer = fetch(text.getUniqueId(), binary.getUniqueId());
            expect(answer.getStatus() == Status.SUCCESS, answer.getStatus() + " " + answer.getErrors());
            same(answer, text.getUniqueId(), TEXT, "text/plain");
            same(answer, binary.getUniqueId(), large, "application/pdf");
            return "5 MB and " + TEXT.length + " bytes";
        });
        cases.run("ITI-43", "one of two: PartialSuccess", () -> {
            RetrievedDocumentSet answer = fetch(text.getUniqueId(), "1.2.3.4.5");
            expect(answer.getStatus() == Status.PARTIAL_SUCCESS, answer.getStatus() + " " + answer.getErrors());
            same(answer, text.getUniqueId(), TEXT, "text/plain");
            return Registry.told(answer);
        });
        cases.run("ITI-43", "an unknown document is refused", () -> Registry.refused(
                fetch("1.2.3.4.5"), "DOCUMENT_UNIQUE_ID_ERROR"));
        cases.run("ITI-43", "an unknown repository is refused", () -> {
            RetrieveDocumentSet request = new RetrieveDocumentSet();
            request.getDocuments().add(new DocumentReference("1.2.3", text.getUniqueId(), null));
            return Registry.refused(fetch(request), "UNKNOWN_REPOSITORY_ID");
        });
    }

    private void replace() {
        cases.run("ITI-41", "RPLC deprecates, and puts the replacement into the folder", () -> {
            SubmissionSet set = Metadata.submissionSet(patient);
            ProvideAndRegisterDocumentSet request = request(set, document(replacement, "corrigé\r\n".getBytes()));
            Association replaces = new Association(
                    AssociationType.REPLACE, null, replacement.getEntryUuid(), text.getEntryUuid());
            replaces.assignEntryUuid();
            request.getAssociations().add(replaces);
            Registry.succeeded(provide(request));
            GetDocumentsQuery get = new GetDocumentsQuery();
            get.setUuids(List.of(text.getEntryUuid()));
            DocumentEntry old = Registry.entry(registry.query(get, QueryReturnType.LEAF_CLASS), text.getUniqueId());
            expect(old.getAvailabilityStatus() == AvailabilityStatus.DEPRECATED, "" + old.getAvailabilityStatus());
            GetFolderAndContentsQuery contents = new GetFolderAndContentsQuery();
            contents.setUuid(folder.getEntryUuid());
            Registry.entry(registry.query(contents, QueryReturnType.LEAF_CLASS), replacement.getUniqueId());
            return "";
        });
        cases.run("ITI-18", "GetRelatedDocuments", () -> {
            GetRelatedDocumentsQuery related = new GetRelatedDocumentsQuery();
            related.setUuid(text.getEntryUuid());
            related.setAssociationTypes(List.of(AssociationType.REPLACE));
            QueryResponse answer = registry.query(related, QueryReturnType.LEAF_CLASS);
            Registry.entry(answer, replacement.getUniqueId());
            return answer.getDocumentEntries().size() + " entries";
        });
        cases.run("ITI-41", "replacing what is deprecated is refused", () -> {
            DocumentEntry late = Metadata.entry(patient, "Late", "text/plain");
            ProvideAndRegisterDocumentSet request = request(Metadata.submissionSet(patient), document(late, TEXT));
            Association replaces = new Association(AssociationType.REPLACE, null, late.getEntryUuid(), text.getEntryUuid());
            replaces.assignEntryUuid();
            request.getAssociations().add(replaces);
            return Registry.refused(provide(request), "DEPRECATED");
        });
        cases.run("ITI-43", "what is deprecated can still be retrieved", () -> {
            same(fetch(text.getUniqueId()), text.getUniqueId(), TEXT, "text/plain");
            return "";
        });
    }

    private void mergeAndRemove() {
        Patient survivor = Patient.invented("Wagner-Noël", "Zoë");
        cases.run("ITI-8", "a merge is visible in XDS", () -> {
            registry.announce(survivor);
            node.hl7("pix-iti8", "", survivor.merge("2.3.1", patient), String.class, null);
            Registry.refused(registry.ask(Queries.documents(patient), QueryReturnType.LEAF_CLASS), "UNKNOWN_PATIENT_ID");
            QueryResponse answer = registry.query(Queries.documents(survivor), QueryReturnType.LEAF_CLASS);
            DocumentEntry found = Registry.entry(answer, binary.getUniqueId());
            expect(survivor.xdsId().equals(found.getPatientId()), "patientId " + found.getPatientId());
            return "";
        });
        cases.run("ITI-86", "a document is removed", () -> {
            Registry.succeeded(removeDocuments(binary.getUniqueId()));
            return Registry.refused(fetch(binary.getUniqueId()), "DOCUMENT_UNIQUE_ID_ERROR");
        });
        cases.run("ITI-86", "an unknown document is refused", () -> Registry.refused(removeDocuments("1.2.3.4.5"), ""));
    }

    private Response removeDocuments(String uniqueId) throws Exception {
        RemoveDocuments request = new RemoveDocuments();
        request.getDocuments().add(new DocumentReference(repository, uniqueId, null));
        return node.soap("rmd-iti86", "/xds/repository", request, Response.class, XdsCamelValidators.iti86ResponseValidator());
    }

    private Response provide(ProvideAndRegisterDocumentSet request) throws Exception {
        return node.soap("xds-iti41", "/xds/repository", request, Response.class, XdsCamelValidators.iti41ResponseValidator());
    }

    private RetrievedDocumentSet fetch(String... uniqueIds) throws Exception {
        RetrieveDocumentSet request = new RetrieveDocumentSet();
        Arrays.stream(uniqueIds).forEach(id -> request.getDocuments().add(new DocumentReference(repository, id, null)));
        return fetch(request);
    }

    private RetrievedDocumentSet fetch(RetrieveDocumentSet request) throws Exception {
        return node.soap("xds-iti43", "/xds/repository", request, RetrievedDocumentSet.class,
                XdsCamelValidators.iti43ResponseValidator());
    }

    private static ProvideAndRegisterDocumentSet request(SubmissionSet set, Document... documents) {
        ProvideAndRegisterDocumentSet request = new ProvideAndRegisterDocumentSet();
        request.setSubmissionSet(set);
        for (Document document : documents) {
            request.getDocuments().add(document);
            request.getAssociations().add(Metadata.original(set, document.getDocumentEntry()));
        }
        return request;
    }

    private static Document document(DocumentEntry entry, byte[] content) {
        return new Document(entry, new DataHandler(new ByteArrayDataSource(content, entry.getMimeType())));
    }

    private static void same(RetrievedDocumentSet answer, String uniqueId, byte[] content, String mimeType) throws Exception {
        RetrievedDocument found = answer.getDocuments().stream()
                .filter(each -> each.getRequestData().getDocumentUniqueId().equals(uniqueId)).findFirst()
                .orElseThrow(() -> new AssertionError("not returned: " + uniqueId + " " + answer.getErrors()));
        byte[] received = found.getDataHandler().getInputStream().readAllBytes();
        expect(Arrays.equals(content, received), received.length + " bytes instead of " + content.length);
        expect(mimeType.equals(found.getMimeType()), "mimeType " + found.getMimeType());
    }
}
