"""The checks of a user assertion, in their order: each may trust only what those before it have established."""

from enum import Enum


class Step(Enum):
    """One check; the value is its rule, in a sentence, with its section."""

    PLACE = "one Security header with one Assertion, at Envelope/Header/Security/Assertion (ITI TF-2: 3.40.4.1.2)"
    DOCUMENT = "a document of its own, of bounded size, without comments and processing instructions (docs/xua.md)"
    SIGNED = "the assertion is signed by its issuer (ITI TF-2: 3.40.4.1.2)"
    SHAPE = "nothing but the listed elements and attributes (xua/shape.py; SAML Core 2)"
    ISSUER = "the issuer is trusted, its name compared character by character (ITI TF-2: 3.40.4.1.3; SAML Core 8.3.6)"
    ALGORITHMS = "one enveloped signature over the assertion, exclusive canonicalization, SHA-2 (SAML Core 5.4)"
    SIGNER = (
        "the signer's certificate is pinned, or issued by a pinned authority for this purpose (ITI TF-2: 3.40.4.1.3)"
    )
    SIGNATURE = "the signature verifies and covers this assertion (XML Signature Core 3.2)"
    CONTENT = "subject, conditions, authentication and attributes are as the token profile says (ITI TF-2: 3.40.4.1.2)"
    TIMESTAMP = "the message's timestamp, if there is one, covers now (WSS SOAP Message Security 1.1: 10)"
    PERIOD = "valid now, issued in the past, the session not ended (SAML Core 2.5.1.2, 2.7.2)"
    CERTIFICATE = "the signer's certificate is valid now and on no revocation list (RFC 5280: 6)"
    QUIRK = "SHA-1 only while it is granted to this issuer (docs/xua.md)"
    AUDIENCE = "every AudienceRestriction names this node or its affinity domain (SAML Core 2.5.1.4)"
    CONFIRMATION = (
        "every SubjectConfirmation holds: bearer, or holder-of-key with the TLS client certificate (SAML Core 2.4.1)"
    )

    @property
    def title(self) -> str:
        """The step's name, for people."""
        return self.name.lower()
