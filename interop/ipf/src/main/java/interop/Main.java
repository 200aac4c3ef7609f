package interop;

/** Arguments: HTTP-PORT MLLP-PORT REPOSITORY-UNIQUE-ID AUDIENCE KEY-STORES plain|TLS. Exit code 0 only if all cases held. */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        String repository = arguments[2];
        String audience = arguments[3];
        String keys = arguments[4];
        String wire = arguments[5];
        Cases cases = new Cases(wire);
        Assertions issuer = new Assertions(keys + "/issuer.p12");
        int http = Integer.parseInt(arguments[0]);
        int mllp = Integer.parseInt(arguments[1]);
        try (Node node = new Node(http, mllp, wire.equals("TLS") ? keys : null)) {
            new HL7v2Story(cases, node).tell();
            new HL7v3Story(cases, node).tell();
            new DocumentStory(cases, node, repository).tell();
            new RegistryStory(cases, node, repository).tell();
            new EdgeStory(cases, node, repository).tell();
            new XuaStory(cases, node, issuer, audience).tell();
        }
        System.exit(cases.allHeld() ? 0 : 1);
    }
}
