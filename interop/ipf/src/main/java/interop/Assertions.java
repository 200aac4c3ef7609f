package interop;

import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.ExcC14NParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/** An issuer of XUA assertions that signs with the JDK's own XML signatures (ITI TF-2: 3.40.4.1.2). */
final class Assertions {
    static final String ISSUER = "urn:interop:issuer";
    private static final String RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final PrivateKey key;
    private final X509Certificate certificate;

    /** {@code file} is a PKCS #12 store with one key named "issuer". */
    Assertions(String file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream stream = new FileInputStream(file)) {
            store.load(stream, PASSWORD);
        }
        key = (PrivateKey) store.getKey("issuer", PASSWORD);
        certificate = (X509Certificate) store.getCertificate("issuer");
    }

    /** A wsse:Security header with a signed assertion for {@code audience}. */
    Element security(String audience) throws Exception {
        String id = "_" + UUID.randomUUID();
        Element security = parse(text(id, audience, Instant.now().truncatedTo(ChronoUnit.MILLIS)));
        sign((Element) security.getFirstChild(), id);
        return security;
    }

    private void sign(Element assertion, String id) throws Exception {
        assertion.setIdAttribute("ID", true);
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        // As OpenSAML does: the prefixes of xsi:type's values are named, since exclusive canonicalization does not see them.
        List<String> prefixes = List.of("xs");
        Transform enveloped = factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null);
        Transform exclusive = factory.newTransform(CanonicalizationMethod.EXCLUSIVE, new ExcC14NParameterSpec(prefixes));
        DigestMethod digest = factory.newDigestMethod(DigestMethod.SHA256, null);
        Reference reference = factory.newReference("#" + id, digest, List.of(enveloped, exclusive), null, null);
        SignedInfo info = factory.newSignedInfo(
                factory.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
                factory.newSignatureMethod(RSA_SHA256, null), List.of(reference));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        KeyInfo keyInfo = keys.newKeyInfo(List.of(keys.newX509Data(List.of(certificate))));
        DOMSignContext context = new DOMSignContext(key, assertion, assertion.getFirstChild().getNextSibling());
        context.setDefaultNamespacePrefix("ds");
        factory.newXMLSignature(info, keyInfo).sign(context);
    }

    private static String text(String id, String audience, Instant now) {
        Instant end = now.plus(5, ChronoUnit.MINUTES);
        return """
                <wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">\
                <saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" \
                ID="%1$s" IssueInstant="%2$s" Version="2.0">\
                <saml2:Issuer>%3$s</saml2:Issuer>\
                <saml2:Subject><saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">doc-7</saml2:NameID>\
                <saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/></saml2:Subject>\
                <saml2:Conditions NotBefore="%2$s" NotOnOrAfter="%4$s"><saml2:AudienceRestriction>\
                <saml2:Audience>%5$s</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
                <saml2:AuthnStatement AuthnInstant="%2$s"><saml2:AuthnContext><saml2:AuthnContextClassRef>\
                urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef></saml2:AuthnContext>\
                </saml2:AuthnStatement>\
                <saml2:AttributeStatement>\
                <saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:subject-id">\
                <saml2:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">Clara Berg\
                </saml2:AttributeValue></saml2:Attribute>\
                <saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role"><saml2:AttributeValue>\
                <Role xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CE" code="221" \
                codeSystem="2.16.840.1.113883.6.96" displayName="Médecin"/></saml2:AttributeValue></saml2:Attribute>\
                <saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"><saml2:AttributeValue>\
                <PurposeOfUse xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CE" \
                code="TREAT" codeSystem="2.16.840.1.113883.1.11.20448"/></saml2:AttributeValue></saml2:Attribute>\
                </saml2:AttributeStatement></saml2:Assertion></wsse:Security>""".formatted(id, now, ISSUER, end, audience);
    }

    private static Element parse(String xml) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        byte[] bytes = xml.getBytes(StandardCharsets.UTF_8);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(bytes)).getDocumentElement();
    }
}
