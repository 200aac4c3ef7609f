"""Our own server with one thing wrong at a time: proof that the suites see it (``python -m conformance.mutants``)."""
