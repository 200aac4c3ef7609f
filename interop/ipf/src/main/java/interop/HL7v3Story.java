package interop;

import static interop.Cases.expect;

import java.io.StringReader;
import java.util.UUID;
import javax.xml.parsers.DocumentBuilderFactory;
import org.openehealth.ipf.platform.camel.ihe.hl7v3.PixPdqV3CamelValidators;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** ITI-44, ITI-45 and ITI-47 over SOAP. */
final class HL7v3Story {
    private final Cases cases;
    private final Node node;

    HL7v3Story(Cases cases, Node node) {
        this.cases = cases;
        this.node = node;
    }

    void tell() {
        feed();
        identifiers();
        demographics();
    }

    private void feed() {
        Patient patient = Patient.invented("Schmit", "Mia");
        Patient twin = Patient.invented("Schmit", "Maia");
        cases.run("ITI-44", "record added", () -> acknowledged(feed(V3.added(patient, Patient.RED)), "A"));
        cases.run("ITI-44", "record revised", () -> acknowledged(feed(V3.revised(patient, Patient.RED)), "A"));
        cases.run("ITI-44", "duplicates resolved", () -> {
            acknowledged(feed(V3.added(twin, Patient.RED)), "A");
            return acknowledged(feed(V3.merged(patient, twin)), "A");
        });
        cases.run("ITI-44", "an unknown authority is refused", () -> acknowledged(
                feed(V3.added(patient, Patient.UNKNOWN_AUTHORITY)), "E"));
    }

    private void identifiers() {
        Patient patient = Patient.invented("Faber", "Tom");
        String ids = patient.cx(Patient.RED) + "~G" + patient.cx(Patient.GREEN);
        cases.run("ITI-45", "finds the id of another domain", () -> {
            node.hl7("pam-iti30", "", patient.adt("A28", "ADT_A05", "2.5", ids), String.class, null);
            Document answer = ask(patient.id(), Patient.RED, Patient.GREEN);
            expect(code(answer, "queryResponseCode").equals("OK"), code(answer, "queryResponseCode"));
            expect(extensions(answer).contains("G" + patient.id()), extensions(answer));
            return acknowledged(answer, "A");
        });
        cases.run("ITI-45", "all other ids", () -> {
            Document answer = ask(patient.id(), Patient.RED, null);
            expect(extensions(answer).contains("G" + patient.id()), extensions(answer));
            return acknowledged(answer, "A");
        });
        cases.run("ITI-45", "an unknown id: AE", () -> {
            Document answer = ask("NOBODY", Patient.RED, null);
            expect(code(answer, "queryResponseCode").equals("AE"), code(answer, "queryResponseCode"));
            return acknowledged(answer, "E");
        });
    }

    private void demographics() {
        String family = "Vthree" + UUID.randomUUID().toString().substring(0, 6).replaceAll("[0-9]", "x");
        cases.run("ITI-47", "five patients in one answer", () -> {
            for (int number = 1; number <= 5; number++) {
                acknowledged(feed(V3.added(Patient.invented(family, "Given" + number), Patient.RED)), "A");
            }
            return found(seek(family, 0, ""), 5);
        });
        cases.run("ITI-47", "initialQuantity 2: two patients, the others remain", () -> found(seek(family, 2, ""), 2));
        cases.run("ITI-47", "continuation: three pages make five patients", () -> found(
                seek(family, 2, "&supportContinuation=true&autoCancel=true&validationOnContinuation=true"), 5));
        cases.run("ITI-47", "nobody: NF", () -> {
            Document answer = seek("Nobodyhasthisname", 0, "");
            expect(code(answer, "queryResponseCode").equals("NF"), code(answer, "queryResponseCode"));
            return acknowledged(answer, "A");
        });
        cases.run("ITI-47", "a patient named Fault is found", () -> {
            String fault = family + " Fault";
            acknowledged(feed(V3.added(Patient.invented(fault, "Fault"), Patient.RED)), "A");
            return found(seek(fault, 0, ""), 1);
        });
    }

    private Document feed(String message) throws Exception {
        return parse(node.soap("pixv3-iti44", "/pix", message, String.class,
                PixPdqV3CamelValidators.iti44ResponseValidator()));
    }

    private Document ask(String id, String root, String domain) throws Exception {
        return parse(node.soap("pixv3-iti45", "/pix", V3.identifiersQuery(id, root, domain), String.class,
                PixPdqV3CamelValidators.iti45ResponseValidator()));
    }

    private Document seek(String family, int quantity, String options) throws Exception {
        return parse(node.soap("pdqv3-iti47", "/pdq", options, V3.demographicsQuery(family, quantity), String.class,
                PixPdqV3CamelValidators.iti47ResponseValidator()));
    }

    private static String found(Document answer, int expected) {
        int patients = answer.getElementsByTagNameNS("*", "patient").getLength();
        expect(patients == expected, patients + " patients");
        return acknowledged(answer, "A") + " " + patients + " patients";
    }

    /** AA or CA for "A", AE or CE for "E". */
    private static String acknowledged(Document answer, String kind) {
        String code = code((Element) answer.getElementsByTagNameNS("*", "acknowledgement").item(0), "typeCode");
        String text = answer.getDocumentElement().getTextContent().strip();
        expect(code.endsWith(kind), code + " " + text);
        return code + " " + (kind.equals("E") ? text.substring(0, Math.min(90, text.length())) : "");
    }

    private static String code(Document answer, String name) {
        return code(answer.getDocumentElement(), name);
    }

    private static String code(Element within, String name) {
        NodeList found = within.getElementsByTagNameNS("*", name);
        return found.getLength() == 0 ? "" : ((Element) found.item(0)).getAttribute("code");
    }

    private static String extensions(Document answer) {
        StringBuilder seen = new StringBuilder();
        NodeList ids = answer.getElementsByTagNameNS("*", "id");
        for (int index = 0; index < ids.getLength(); index++) {
            seen.append(((Element) ids.item(index)).getAttribute("extension")).append(' ');
        }
        return seen.toString();
    }

    private static Document parse(String xml) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }
}
