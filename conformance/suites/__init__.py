"""What systems are asked: a module a suite, a function a test (``affinity conform run``)."""
