package interop;

import java.util.ArrayList;
import java.util.List;

/** What was tried and how it ended; one line of tab-separated text for each. */
final class Cases {
    interface Body {
        /** Returns a remark for the table; throws if the node did not do what the standard says. */
        String run() throws Exception;
    }

    private final List<String> failures = new ArrayList<>();
    private final String wire;

    Cases(String wire) {
        this.wire = wire;
    }

    void run(String transaction, String name, Body body) {
        try {
            report("ok", transaction, name, body.run());
        } catch (Throwable thrown) {
            failures.add(transaction + " " + name);
            report("FAILED", transaction, name, reason(thrown));
        }
    }

    boolean allHeld() {
        return failures.isEmpty();
    }

    private void report(String verdict, String transaction, String name, String remark) {
        String flat = remark == null ? "" : remark.replaceAll("\\s+", " ").strip();
        System.out.println("CASE\t" + String.join("\t", verdict, wire, transaction, name, flat));
    }

    /** The messages of the whole chain of causes: toolkits wrap the one that tells something. */
    private static String reason(Throwable thrown) {
        StringBuilder said = new StringBuilder();
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            said.append(each.getClass().getSimpleName()).append(": ").append(each.getMessage()).append(" | ");
        }
        return said.substring(0, Math.min(said.length(), 2000));
    }

    static void expect(boolean held, String otherwise) {
        if (!held) {
            throw new AssertionError(otherwise);
        }
    }
}
