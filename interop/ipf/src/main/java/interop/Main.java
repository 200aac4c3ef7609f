package interop;

/** Arguments: HTTP-PORT MLLP-PORT REPOSITORY-UNIQUE-ID [DIRECTORY-OF-KEY-STORES]. Exit code 0 only if all cases held. */
public final class Main {
    public static void main(String[] arguments) {
        String keys = arguments.length > 3 ? arguments[3] : null;
        Cases cases = new Cases(keys == null ? "plain" : "TLS");
        try (Node node = new Node(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]), keys)) {
            new HL7v2Story(cases, node).tell();
            new HL7v3Story(cases, node).tell();
            new DocumentStory(cases, node, arguments[2]).tell();
            new RegistryStory(cases, node, arguments[2]).tell();
        }
        System.exit(cases.allHeld() ? 0 : 1);
    }
}
