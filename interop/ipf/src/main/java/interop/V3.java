package interop;

import java.util.UUID;

/** The HL7 v3 messages of ITI-44, ITI-45 and ITI-47, written out. */
final class V3 {
    private static final String DEVICE = "1.3.6.1.4.1.21367.13.20.4242";

    private V3() {}

    static String added(Patient patient, String authority) {
        return record("PRPA_IN201301UV02", patient, authority, "");
    }

    static String revised(Patient patient, String authority) {
        return record("PRPA_IN201302UV02", patient, authority, "");
    }

    static String merged(Patient survivor, Patient subsumed) {
        String replacement = """
                <replacementOf typeCode="RPLC"><priorRegistration classCode="REG" moodCode="EVN">
                <statusCode code="obsolete"/><subject1 typeCode="SBJ"><priorRegisteredRole classCode="PAT">
                <id root="%s" extension="%s"/></priorRegisteredRole></subject1></priorRegistration></replacementOf>
                """.formatted(Patient.RED, subsumed.id());
        return record("PRPA_IN201304UV02", survivor, Patient.RED, replacement);
    }

    static String identifiersQuery(String extension, String root, String domain) {
        String source = domain == null ? "" : parameter("dataSource", "<value root=\"" + domain + "\"/>", "DataSource.id");
        String id = "<value root=\"" + root + "\" extension=\"" + extension + "\"/>";
        String query = """
                <authorOrPerformer typeCode="AUT"><assignedPerson classCode="ASSIGNED"><id root="%s"/></assignedPerson>
                </authorOrPerformer><queryByParameter><queryId root="%s"/><statusCode code="new"/>
                <responsePriorityCode code="I"/><parameterList>%s%s</parameterList></queryByParameter>
                """.formatted(DEVICE, oid(), source, parameter("patientIdentifier", id, "Patient.id"));
        return message("PRPA_IN201309UV02", "T", "PRPA_TE201309UV02", query);
    }

    static String demographicsQuery(String family, int quantity) {
        String limit = quantity == 0 ? "" : "<initialQuantity value=\"" + quantity + "\"/>";
        String name = "<value><family>" + family + "</family></value>";
        String query = """
                <queryByParameter><queryId root="%s"/><statusCode code="new"/><responseModalityCode code="R"/>
                <responsePriorityCode code="I"/>%s<parameterList>%s</parameterList></queryByParameter>
                """.formatted(oid(), limit, parameter("livingSubjectName", name, "LivingSubject.name"));
        return message("PRPA_IN201305UV02", "T", "PRPA_TE201305UV02", query);
    }

    private static String record(String interaction, Patient patient, String authority, String replacement) {
        String event = """
                <subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN"><id nullFlavor="NA"/>
                <statusCode code="active"/><subject1 typeCode="SBJ"><patient classCode="PAT">
                <id root="%s" extension="%s"/><statusCode code="active"/><patientPerson>
                <name><given>%s</given><family>%s</family></name><administrativeGenderCode code="F"/>
                <birthTime value="%s"/></patientPerson>
                <providerOrganization classCode="ORG" determinerCode="INSTANCE"><id root="%s"/><name>Interop</name>
                <contactParty classCode="CON"><telecom value="tel:+352-555-0100"/></contactParty></providerOrganization>
                </patient></subject1>
                <custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="%s"/><assignedOrganization
                classCode="ORG" determinerCode="INSTANCE"><name>Interop</name></assignedOrganization></assignedEntity>
                </custodian>%s</registrationEvent></subject>
                """.formatted(authority, patient.id(), patient.given(), patient.family(), patient.birthDate(),
                authority, DEVICE, replacement);
        return message(interaction, "T", interaction.replace("IN", "TE"), event);
    }

    private static String message(String interaction, String mode, String trigger, String act) {
        return """
                <%1$s xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"><id root="%2$s"/><creationTime value="%3$s"/>
                <interactionId root="2.16.840.1.113883.1.6" extension="%1$s"/><processingCode code="P"/>
                <processingModeCode code="%4$s"/><acceptAckCode code="AL"/>
                <receiver typeCode="RCV">
                <device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.3.4"/></device></receiver>
                <sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="%5$s"/></device></sender>
                <controlActProcess classCode="CACT" moodCode="EVN">
                <code code="%6$s" codeSystem="2.16.840.1.113883.1.18"/>%7$s</controlActProcess></%1$s>
                """.formatted(interaction, oid(), Patient.now(), mode, DEVICE, trigger, act);
    }

    private static String parameter(String name, String value, String meaning) {
        return "<" + name + ">" + value + "<semanticsText>" + meaning + "</semanticsText></" + name + ">";
    }

    static String oid() {
        UUID uuid = UUID.randomUUID();
        return "2.25." + new java.math.BigInteger(uuid.toString().replace("-", ""), 16);
    }
}
