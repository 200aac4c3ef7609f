package interop;

import static interop.Cases.expect;

import javax.xml.namespace.QName;
import org.apache.cxf.binding.soap.SoapFault;
import org.apache.cxf.binding.soap.SoapHeader;
import org.apache.cxf.headers.Header;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.platform.camel.ihe.xds.XdsCamelValidators;
import org.w3c.dom.Element;

/** ITI-40: assertions signed by the JDK, carried in SOAP headers that the toolkit writes. */
final class XuaStory {
    private final Cases cases;
    private final Node node;
    private final Assertions issuer;
    private final String audience;
    private final Patient patient = Patient.invented("Xu", "Ada");

    XuaStory(Cases cases, Node node, Assertions issuer, String audience) {
        this.cases = cases;
        this.node = node;
        this.issuer = issuer;
        this.audience = audience;
    }

    void tell() {
        cases.run("ITI-40", "an assertion of a foreign issuer is believed", () -> {
            new Registry(node).announce(patient);
            return Registry.succeeded(ask(issuer.security(audience)));
        });
        cases.run("ITI-40", "the same assertion again", () -> {
            Element security = issuer.security(audience);
            Registry.succeeded(ask(security));
            return Registry.succeeded(ask(security));
        });
        cases.run("ITI-40", "another audience is refused", () -> fault(issuer.security("urn:oid:1.2.3"), "FailedAuthentication"));
        cases.run("ITI-40", "a name changed after signing is refused", () -> {
            Element security = issuer.security(audience);
            security.getElementsByTagName("saml2:NameID").item(0).setTextContent("doc-8");
            return fault(security, "FailedCheck");
        });
        cases.run("ITI-40", "an assertion without signature is refused", () -> {
            Element security = issuer.security(audience);
            Element signature = (Element) security.getElementsByTagName("ds:Signature").item(0);
            signature.getParentNode().removeChild(signature);
            return fault(security, "FailedCheck");
        });
    }

    private QueryResponse ask(Element security) throws Exception {
        Header header = new SoapHeader(new QName(security.getNamespaceURI(), security.getLocalName()), security);
        QueryRegistry query = new QueryRegistry(Queries.documents(patient), QueryReturnType.LEAF_CLASS);
        return node.soap("xds-iti18", "/xds/registry", query, QueryResponse.class,
                XdsCamelValidators.iti18ResponseValidator(), header);
    }

    /** The node answers with a Fault of this subcode (WS-Security 1.1, section 12). */
    private String fault(Element security, String subcode) throws Exception {
        try {
            ask(security);
        } catch (SoapFault refused) {
            expect(refused.getFaultCode().getLocalPart().equals("Sender"), "" + refused.getFaultCode());
            boolean precise = refused.getSubCodes().stream().anyMatch(each -> each.getLocalPart().equals(subcode));
            expect(precise, "" + refused.getSubCodes());
            return subcode + ": " + refused.getReason();
        }
        throw new AssertionError("not refused");
    }
}
