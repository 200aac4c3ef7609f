"""Pure functions from a message to findings, one module for each wire; ``conformance.validating`` chooses."""
