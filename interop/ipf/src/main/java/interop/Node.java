package interop;

import static org.openehealth.ipf.platform.camel.ihe.ws.AbstractWsEndpoint.OUTGOING_SOAP_HEADERS;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.hl7.HL7MLLPNettyDecoderFactory;
import org.apache.camel.component.hl7.HL7MLLPNettyEncoderFactory;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.jsse.KeyManagersParameters;
import org.apache.camel.support.jsse.KeyStoreParameters;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.support.jsse.TrustManagersParameters;
import org.apache.cxf.BusFactory;
import org.apache.cxf.headers.Header;
import org.apache.cxf.transport.http.HTTPConduit;

/** The node under test, seen through the toolkit's endpoints: plain, or over mutual TLS where key stores are given. */
final class Node implements AutoCloseable {
    private final DefaultCamelContext camel = new DefaultCamelContext();
    private final ProducerTemplate producer;
    private final int http;
    private final int mllp;
    private final boolean tls;

    /** {@code keys} is a directory with client.p12 and trust.p12 (password: changeit), or null for plain ports. */
    Node(int http, int mllp, String keys) {
        this.http = http;
        this.mllp = mllp;
        this.tls = keys != null;
        HL7MLLPNettyDecoderFactory decoder = new HL7MLLPNettyDecoderFactory();
        decoder.setCharset(StandardCharsets.UTF_8);
        decoder.setProduceString(false);
        HL7MLLPNettyEncoderFactory encoder = new HL7MLLPNettyEncoderFactory();
        encoder.setCharset(StandardCharsets.UTF_8);
        camel.getRegistry().bind("hl7decoder", decoder);
        camel.getRegistry().bind("hl7encoder", encoder);
        if (tls) {
            camel.getRegistry().bind("tls", mutual(keys));
        }
        // SOAP 1.2 Part 2, Table 20: env:Sender comes with HTTP 400; CXF does not read the Fault unless told to.
        BusFactory.getDefaultBus().setProperty(HTTPConduit.PROCESS_FAULT_ON_HTTP_400, true);
        camel.start();
        producer = camel.createProducerTemplate();
    }

    /** The same, with a SOAP header of the caller's. */
    <T> T soap(String scheme, String path, Object body, Class<T> answer, Processor judge, Header header) throws Exception {
        return send(uri(scheme, path, ""), body, answer, judge, Map.of(OUTGOING_SOAP_HEADERS, List.of(header)));
    }

    /** Sends {@code body} to a path of the node and has the toolkit judge the answer. */
    <T> T soap(String scheme, String path, Object body, Class<T> answer, Processor judge) throws Exception {
        return soap(scheme, path, "", body, answer, judge);
    }

    <T> T soap(String scheme, String path, String options, Object body, Class<T> answer, Processor judge)
            throws Exception {
        return send(uri(scheme, path, options), body, answer, judge, Map.of());
    }

    <T> T hl7(String scheme, String options, Object body, Class<T> answer, Processor judge) throws Exception {
        String secured = tls ? "&secure=true&clientAuth=MUST&sslContextParameters=#tls" : "";
        String uri = scheme + "://localhost:" + mllp + "?audit=false&timeout=20000" + options + secured;
        return send(uri, body, answer, judge, Map.of());
    }

    private String uri(String scheme, String path, String options) {
        String secured = tls ? "&secure=true&sslContextParameters=#tls" : "";
        return scheme + "://localhost:" + http + path + "?audit=false" + options + secured;
    }

    private <T> T send(String uri, Object body, Class<T> answer, Processor judge, Map<String, Object> headers)
            throws Exception {
        Exchange exchange = producer.send(uri, each -> {
            each.getIn().setHeaders(new HashMap<>(headers));
            each.getIn().setBody(body);
        });
        if (exchange.getException() != null) {
            throw exchange.getException();
        }
        Object received = exchange.getMessage().getBody();
        if (judge != null) {
            Exchange judged = new DefaultExchange(camel);
            judged.getIn().setBody(received);
            judge.process(judged);
        }
        return camel.getTypeConverter().mandatoryConvertTo(answer, exchange, received);
    }

    private static SSLContextParameters mutual(String keys) {
        KeyManagersParameters own = new KeyManagersParameters();
        own.setKeyPassword("changeit");
        own.setKeyStore(store(keys + "/client.p12"));
        TrustManagersParameters trusted = new TrustManagersParameters();
        trusted.setKeyStore(store(keys + "/trust.p12"));
        SSLContextParameters parameters = new SSLContextParameters();
        parameters.setKeyManagers(own);
        parameters.setTrustManagers(trusted);
        return parameters;
    }

    private static KeyStoreParameters store(String file) {
        KeyStoreParameters store = new KeyStoreParameters();
        store.setResource("file:" + file);
        store.setType("PKCS12");
        store.setPassword("changeit");
        return store;
    }

    @Override
    public void close() {
        camel.stop();
    }
}
