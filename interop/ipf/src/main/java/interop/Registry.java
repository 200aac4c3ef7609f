package interop;

import static interop.Cases.expect;

import java.util.stream.Collectors;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Folder;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.Query;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.ErrorInfo;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Severity;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Status;
import org.openehealth.ipf.platform.camel.ihe.mllp.PixPdqCamelValidators;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;

/** Asks the Document Registry, and reads its answers. */
final class Registry {
    private final Node node;

    Registry(Node node) {
        this.node = node;
    }

    void announce(Patient patient) throws Exception {
        String message = patient.adt("A04", "ADT_A01", "2.3.1", patient.cx(Patient.RED));
        String ack = node.hl7("pix-iti8", "", message, String.class, PixPdqCamelValidators.iti8ResponseValidator());
        expect(ack.contains("MSA|AA|"), ack);
    }

    QueryResponse ask(Query query, QueryReturnType type) throws Exception {
        return node.soap("xds-iti18", "/xds/registry", new QueryRegistry(query, type), QueryResponse.class,
                XdsCamelValidators.iti18ResponseValidator());
    }

    QueryResponse query(Query query, QueryReturnType type) throws Exception {
        QueryResponse answer = ask(query, type);
        succeeded(answer);
        return answer;
    }

    static String succeeded(Response answer) {
        expect(answer.getStatus() == Status.SUCCESS, answer.getStatus() + ": " + told(answer));
        return answer.getErrors().isEmpty() ? "" : told(answer);
    }

    /** The answer is a failure with this error, named as the toolkit's ErrorCode is (or a part of it), and a location. */
    static String refused(Response answer, String code) {
        expect(answer.getStatus() == Status.FAILURE, "not refused: " + answer.getStatus());
        String told = told(answer);
        expect(told.toUpperCase().contains(code.toUpperCase()), told);
        expect(answer.getErrors().stream().allMatch(each -> each.getSeverity() == Severity.ERROR), "severity: " + told);
        return told.substring(0, Math.min(told.length(), 110));
    }

    static String told(Response answer) {
        return answer.getErrors().stream().map(Registry::told).collect(Collectors.joining("; "));
    }

    private static String told(ErrorInfo error) {
        String custom = error.getCustomErrorCode() == null ? "" : " " + error.getCustomErrorCode();
        return error.getErrorCode() + custom + " " + error.getCodeContext();
    }

    static DocumentEntry entry(QueryResponse answer, String uniqueId) {
        return answer.getDocumentEntries().stream().filter(each -> uniqueId.equals(each.getUniqueId())).findFirst()
                .orElseThrow(() -> new AssertionError("no entry " + uniqueId));
    }

    static void folder(QueryResponse answer, Folder folder) {
        expect(answer.getFolders().stream().anyMatch(each -> folder.getUniqueId().equals(each.getUniqueId())), "no folder");
    }
}
