package interop;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.UUID;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssigningAuthority;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Identifiable;

/** An invented patient and the messages that announce and seek her. */
record Patient(String id, String family, String given, String birthDate) {
    static final String RED = "1.3.6.1.4.1.21367.13.20.1000";
    static final String GREEN = "1.3.6.1.4.1.21367.13.20.2000";
    static final String UNKNOWN_AUTHORITY = "1.3.6.1.4.1.21367.13.20.7777";

    /** Each is born on a day and lives in a house of her own: the node would take people who are alike for one. */
    static Patient invented(String family, String given) {
        UUID random = UUID.randomUUID();
        String born = LocalDate.of(1930, 1, 1).plusDays(Math.floorMod(random.getMostSignificantBits(), 28000L))
                .format(DateTimeFormatter.BASIC_ISO_DATE);
        return new Patient("T" + random.toString().substring(0, 8), family, given, born);
    }

    private int number() {
        return Math.floorMod(id.hashCode(), 1000000);
    }

    Identifiable xdsId() {
        return new Identifiable(id, new AssigningAuthority(RED));
    }

    String cx(String authority) {
        return id + "^^^&" + authority + "&ISO";
    }

    /** ITI-8 is HL7 v2.3.1, ITI-30 v2.5; the trigger says the rest. Several CX in {@code pid3} are separated by "~". */
    String adt(String trigger, String structure, String version, String pid3) {
        return msh("ADT", trigger, structure, version) + "EVN|" + (version.equals("2.5") ? "" : trigger) + "|" + now()
                + "\rPID|||" + pid3 + "||" + family + "^" + given + "^^^^^L" + "||" + birthDate + "|F|||"
                + number() % 200 + " Rue du Moulin^^Exempelduerf^^9999^LUX||^PRN^PH^^^^" + (99000000 + number()) + "\rPV1||" + (version.equals("2.5") ? "N" : "O") + "\r";
    }

    String merge(String version, Patient subsumed) {
        String evn = "EVN|" + (version.equals("2.5") ? "" : "A40") + "|" + now();
        String charset = msh("ADT", "A40", "ADT_A39", version);
        return charset + evn + "\rPID|||" + cx(RED) + "||" + family + "^" + given + "^^^^^L||" + birthDate + "|F\rMRG|"
                + subsumed.cx(RED) + "\r" + (version.equals("2.5") ? "" : "PV1||O\r");
    }

    static String identifiersQuery(String cx, String domains) {
        return msh("QBP", "Q23", "QBP_Q21", "2.5") + "QPD|IHE PIX Query|" + tag() + "|" + cx + "|" + domains + "\rRCP|I\r";
    }

    static String demographicsQuery(String criteria, String domains, int quantity) {
        String limit = quantity == 0 ? "" : "|" + quantity + "^RD";
        return msh("QBP", "Q22", "QBP_Q21", "2.5") + "QPD|IHE PDQ Query|" + tag() + "|" + criteria + "|||||" + domains
                + "\rRCP|I" + limit + "\r";
    }

    private static String msh(String type, String trigger, String structure, String version) {
        return "MSH|^~\\&|IPF|INTEROP|AFFINITY|AFFINITY|" + now() + "||" + type + "^" + trigger + "^" + structure + "|"
                + tag() + "|P|" + version + "||||||UNICODE UTF-8\r";
    }

    static String now() {
        return LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMddHHmmss"));
    }

    private static String tag() {
        return UUID.randomUUID().toString().replace("-", "").substring(0, 18);
    }
}
