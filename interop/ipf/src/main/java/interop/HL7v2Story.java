package interop;

import static interop.Cases.expect;

import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.util.Terser;
import java.util.UUID;
import org.apache.camel.Processor;
import org.openehealth.ipf.platform.camel.ihe.mllp.PamCamelValidators;
import org.openehealth.ipf.platform.camel.ihe.mllp.PixPdqCamelValidators;

/** ITI-8, ITI-30, ITI-9 and ITI-21 over MLLP. */
final class HL7v2Story {
    private final Cases cases;
    private final Node node;

    HL7v2Story(Cases cases, Node node) {
        this.cases = cases;
        this.node = node;
    }

    void tell() {
        feeds();
        identifiers();
        demographics();
    }

    private void feeds() {
        Patient patient = Patient.invented("Weber-Étoile", "Léa");
        for (String trigger : new String[] {"A01", "A04", "A05", "A08"}) {
            cases.run("ITI-8", trigger + " is acknowledged", () -> code(
                    iti8(patient.adt(trigger, "ADT_A01", "2.3.1", patient.cx(Patient.RED))), "AA"));
        }
        Patient twin = Patient.invented("Weber-Étoile", "Lea");
        cases.run("ITI-8", "A40 merges", () -> {
            code(iti8(twin.adt("A04", "ADT_A01", "2.3.1", twin.cx(Patient.RED))), "AA");
            return code(iti8(patient.merge("2.3.1", twin)), "AA");
        });
        cases.run("ITI-8", "A40 of an unknown patient is refused", () -> code(
                refused(patient.merge("2.3.1", Patient.invented("Nobody", "No"))), "AE"));
        cases.run("ITI-8", "an unknown authority is refused", () -> code(
                refused(patient.adt("A01", "ADT_A01", "2.3.1", patient.cx(Patient.UNKNOWN_AUTHORITY))), "AE"));
        pam();
    }

    private void pam() {
        Patient patient = Patient.invented("Klein", "Ana");
        Patient twin = Patient.invented("Klein", "Anna");
        for (String trigger : new String[] {"A28", "A31"}) {
            cases.run("ITI-30", trigger + " is acknowledged", () -> code(
                    iti30(patient.adt(trigger, "ADT_A05", "2.5", patient.cx(Patient.RED) + "^PI")), "AA"));
        }
        cases.run("ITI-30", "A40 merges", () -> {
            code(iti30(twin.adt("A28", "ADT_A05", "2.5", twin.cx(Patient.RED))), "AA");
            return code(iti30(patient.merge("2.5", twin)), "AA");
        });
        cases.run("ITI-30", "an unknown authority is refused", () -> code(
                iti30(patient.adt("A28", "ADT_A05", "2.5", patient.cx(Patient.UNKNOWN_AUTHORITY))), "AE"));
    }

    private void identifiers() {
        Patient patient = Patient.invented("Muller", "Eva");
        cases.run("ITI-9", "finds the id of another domain", () -> {
            String both = patient.cx(Patient.RED) + "~G" + patient.cx(Patient.GREEN);
            code(iti30(patient.adt("A28", "ADT_A05", "2.5", both)), "AA");
            Message answer = iti9(patient.cx(Patient.RED), "^^^&" + Patient.GREEN + "&ISO");
            expect(("G" + patient.id()).equals(get(answer, "/.PID-3-1")), "PID-3 is " + get(answer, "/.PID-3-1"));
            return code(answer, "AA") + " " + get(answer, "/QAK-2");
        });
        cases.run("ITI-9", "a known patient without other ids: AA, NF", () -> {
            Message answer = iti9(patient.cx(Patient.RED), "^^^&1.3.6.1.4.1.21367.13.20.3000&ISO");
            expect("NF".equals(get(answer, "/QAK-2")), "QAK-2 is " + get(answer, "/QAK-2"));
            return code(answer, "AA");
        });
        cases.run("ITI-9", "an unknown id: AE, 204", () -> unknown(iti9("NOBODY^^^&" + Patient.RED + "&ISO", "")));
        cases.run("ITI-9", "an unknown domain asked for: AE, 204", () -> unknown(
                iti9(patient.cx(Patient.RED), "^^^&" + Patient.UNKNOWN_AUTHORITY + "&ISO")));
    }

    private void demographics() {
        String family = "Cont" + UUID.randomUUID().toString().substring(0, 6).replaceAll("[0-9]", "x");
        cases.run("ITI-21", "five patients in one answer", () -> {
            for (int number = 1; number <= 5; number++) {
                Patient patient = Patient.invented(family, "Given" + number);
                code(iti30(patient.adt("A28", "ADT_A05", "2.5", patient.cx(Patient.RED))), "AA");
            }
            return found(iti21(family, "", 0, ""), 5);
        });
        cases.run("ITI-21", "continuation: three pages make five patients", () -> found(
                iti21(family, "", 2, "&supportInteractiveContinuation=true&autoCancel=true"), 5));
        cases.run("ITI-21", "one page, and a DSC that says there is more", () -> {
            Message answer = iti21(family, "", 2, "");
            expect(get(answer, "/DSC-1") != null, "no DSC-1");
            return found(answer, 2);
        });
        cases.run("ITI-21", "nobody: AA, NF", () -> {
            Message answer = iti21("Nobodyhasthisname", "", 0, "");
            expect("NF".equals(get(answer, "/QAK-2")), "QAK-2 is " + get(answer, "/QAK-2"));
            return code(answer, "AA");
        });
        cases.run("ITI-21", "an unknown domain asked for: AE, 204", () -> unknown(
                iti21(family, "^^^&" + Patient.UNKNOWN_AUTHORITY + "&ISO", 0, "")));
    }

    private String found(Message answer, int expected) throws Exception {
        int patients = 0;
        for (String segment : answer.encode().split("\r")) {
            patients += segment.startsWith("PID|") ? 1 : 0;
        }
        expect(patients == expected, patients + " patients: " + answer.encode());
        return code(answer, "AA") + " " + patients + " patients";
    }

    private String unknown(Message answer) throws Exception {
        expect("204".equals(get(answer, "/ERR-3-1")), "ERR-3 is " + get(answer, "/ERR-3-1"));
        return code(answer, "AE") + " " + get(answer, "/ERR-2-1") + "-" + get(answer, "/ERR-2-3");
    }

    private Message iti8(String message) throws Exception {
        return send("pix-iti8", "", message, PixPdqCamelValidators.iti8ResponseValidator());
    }

    /** Not judged by the toolkit: in its profile, HL7 v2.3.1, ERR has one field; ITI TF-2: C.2.3.2 requires ERR-3. */
    private Message refused(String message) throws Exception {
        return send("pix-iti8", "", message, null);
    }

    private Message iti30(String message) throws Exception {
        return send("pam-iti30", "", message, PamCamelValidators.iti30ResponseValidator());
    }

    private Message iti9(String cx, String domains) throws Exception {
        String query = Patient.identifiersQuery(cx, domains);
        return send("pix-iti9", "", query, PixPdqCamelValidators.iti9ResponseValidator());
    }

    private Message iti21(String family, String domains, int quantity, String options) throws Exception {
        String query = Patient.demographicsQuery("@PID.5.1.1^" + family, domains, quantity);
        return send("pdq-iti21", options, query, PixPdqCamelValidators.iti21ResponseValidator());
    }

    private Message send(String scheme, String options, String message, Processor judge) throws Exception {
        return node.hl7(scheme, options, message, Message.class, judge);
    }

    private static String code(Message answer, String expected) throws Exception {
        String code = get(answer, "/MSA-1");
        expect(expected.equals(code), "MSA-1 is " + code + ": " + answer.encode());
        return code;
    }

    private static String get(Message answer, String path) throws Exception {
        return new Terser(answer).get(path);
    }
}
