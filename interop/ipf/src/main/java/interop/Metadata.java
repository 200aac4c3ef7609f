package interop;

import static org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationType.HAS_MEMBER;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssigningAuthority;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Association;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AssociationLabel;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Author;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.AvailabilityStatus;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.CXiAssigningAuthority;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Code;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntry;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.DocumentEntryType;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Folder;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Identifiable;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.LocalizedString;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Organization;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.PatientInfo;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Person;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.ReferenceId;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.SubmissionSet;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.Timestamp;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.XcnName;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.XpnName;

/** Metadata of invented documents, with the codes of the connectathon domain. */
final class Metadata {
    static final String LOINC = "2.16.840.1.113883.6.1";
    static final String SNOMED = "2.16.840.1.113883.6.96";
    static final String OWN = "1.3.6.1.4.1.21367.2017.3";

    private Metadata() {}

    static DocumentEntry entry(Patient patient, String title, String mimeType) {
        DocumentEntry entry = new DocumentEntry();
        entry.assignEntryUuid();
        entry.setUniqueId(V3.oid());
        entry.setPatientId(patient.xdsId());
        entry.setSourcePatientId(patient.xdsId());
        entry.setSourcePatientInfo(info(patient));
        entry.setTitle(new LocalizedString(title, "fr-LU", "UTF-8"));
        entry.setComments(new LocalizedString("Kommentar <für> \"Ärzte\" & andere", "de-LU", "UTF-8"));
        entry.setMimeType(mimeType);
        entry.setLanguageCode("fr-LU");
        entry.setCreationTime("20260102030405");
        entry.setServiceStartTime("202601020300");
        entry.setServiceStopTime("20260102");
        entry.setLegalAuthenticator(person("Berg", "Clara"));
        entry.getAuthors().add(author());
        entry.getReferenceIdList().add(reference("ORDER-" + patient.id()));
        classify(entry);
        entry.setType(DocumentEntryType.STABLE);
        entry.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        return entry;
    }

    private static void classify(DocumentEntry entry) {
        entry.setClassCode(code("REPORTS", "Reports", "1.3.6.1.4.1.19376.1.2.6.1"));
        entry.setTypeCode(code("11502-2", "Laboratory report.total", LOINC));
        entry.setFormatCode(code("urn:ihe:iti:xds:2017:mimeTypeSufficient", "sufficient", "1.3.6.1.4.1.19376.1.2.3"));
        entry.setHealthcareFacilityTypeCode(code("22232009", "Hospital", SNOMED));
        entry.setPracticeSettingCode(code("309950003", "Pathology department", SNOMED));
        entry.getConfidentialityCodes().add(code("N", "normal", "2.16.840.1.113883.5.25"));
        entry.getEventCodeList().add(code("MPQ-eventcode-1", "MPQ-eventcode-1", OWN));
    }

    static SubmissionSet submissionSet(Patient patient) {
        SubmissionSet set = new SubmissionSet();
        set.assignEntryUuid();
        set.setUniqueId(V3.oid());
        set.setSourceId("1.3.6.1.4.1.21367.13.20.4242");
        set.setPatientId(patient.xdsId());
        set.setTitle(new LocalizedString("Laboratoire"));
        set.setSubmissionTime(Timestamp.now());
        set.setContentTypeCode(code("394747008", "Health Authority", SNOMED));
        set.setAuthor(author());
        set.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        return set;
    }

    static Folder folder(Patient patient, String title) {
        Folder folder = new Folder();
        folder.assignEntryUuid();
        folder.setUniqueId(V3.oid());
        folder.setPatientId(patient.xdsId());
        folder.setTitle(new LocalizedString(title));
        folder.getCodeList().add(code("Referrals", "Referrals", OWN));
        folder.setAvailabilityStatus(AvailabilityStatus.APPROVED);
        return folder;
    }

    /** The SubmissionSet has the entry as its original member. */
    static Association original(SubmissionSet set, DocumentEntry entry) {
        Association member = member(set.getEntryUuid(), entry.getEntryUuid());
        member.setLabel(AssociationLabel.ORIGINAL);
        return member;
    }

    static Association member(String source, String target) {
        Association member = new Association(HAS_MEMBER, null, source, target);
        member.assignEntryUuid();
        return member;
    }

    static ReferenceId reference(String id) {
        return new ReferenceId(id, new CXiAssigningAuthority(null, OWN, "ISO"), ReferenceId.ID_TYPE_CODE_ORDER);
    }

    static Code code(String code, String display, String scheme) {
        return new Code(code, new LocalizedString(display), scheme);
    }

    static Author author() {
        Author author = new Author();
        author.setAuthorPerson(person("Berg", "Clara"));
        author.getAuthorInstitution().add(new Organization("Laboratoire d'Exempelduerf", "123", new AssigningAuthority(OWN)));
        author.getAuthorRole().add(new Identifiable("Médecin", new AssigningAuthority(OWN)));
        return author;
    }

    private static Person person(String family, String given) {
        Identifiable id = new Identifiable("doc-7", new AssigningAuthority(OWN));
        return new Person(id, new XcnName(family, given, null, null, null, null));
    }

    private static PatientInfo info(Patient patient) {
        PatientInfo info = new PatientInfo();
        info.getIds().add(patient.xdsId());
        info.getNames().add(new XpnName(patient.family(), patient.given(), null, null, null, null));
        info.setDateOfBirth(patient.birthDate());
        info.setGender("F");
        return info;
    }

    static String sha1(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(content));
    }

    static List<AvailabilityStatus> approved() {
        return List.of(AvailabilityStatus.APPROVED);
    }
}
