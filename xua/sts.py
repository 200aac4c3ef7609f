"""A development X-Assertion Provider: vouches for invented people, and lies on request. Never for production."""

import uuid
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lxml.etree import SubElement, _Element

from ihe.datatypes import Code
from xua.assertion import UserAssertion, write
from xua.keys import Certificate, PrivateKey, load_certificates, load_private_key, make_stranger, subject_of
from xua.names import clark
from xua.people import EMERGENCY, PEOPLE, DemoRole
from xua.signature import KEY_INFO, SIGNATURE, sign

LIFETIME = timedelta(minutes=10)
DEVELOPMENT = "Affinity development"
"""The organization that the subject of a development certificate names."""


class Defect(StrEnum):
    """What is wrong with an assertion issued for a demonstration of refusal."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_AUDIENCE = "wrong-audience"
    NO_AUTHN_STATEMENT = "no-authn-statement"
    SECOND_ROLE = "second-role"
    SECOND_PURPOSE = "second-purpose"
    UNSIGNED = "unsigned"
    WRONG_KEY = "wrong-key"
    FORGED = "forged"
    WRAPPED = "wrapped"


@dataclass(frozen=True, slots=True)
class DevelopmentSTS:
    """An issuer with its signing key."""

    issuer: str
    key: PrivateKey
    certificate: Certificate

    def issue(
        self,
        role: DemoRole,
        now: datetime,
        audience: str,
        *,
        resource_id: str | None = None,
        home_community_id: str | None = None,
        purpose_of_use: Code | None = None,
        defect: Defect | None = None,
    ) -> _Element:
        """Issue a signed Assertion for the person in that role, valid for ten minutes from ``now``."""
        person = PEOPLE[role]
        user = UserAssertion(
            id=f"_{uuid.uuid4()}",
            issuer=self.issuer,
            issue_instant=now,
            not_before=now,
            not_on_or_after=now + LIFETIME,
            audience=audience,
            person=replace(person, purpose_of_use=purpose_of_use) if purpose_of_use else person,
            resource_id=resource_id,
            home_community_id=home_community_id,
        )
        return self._sign(_lie(user, defect), defect)

    def _sign(self, user: UserAssertion, defect: Defect | None) -> _Element:
        if defect is Defect.UNSIGNED:
            return write(user)
        if defect is Defect.WRONG_KEY:
            return sign(write(user), *make_stranger(user.issue_instant))
        signed = sign(write(user), self.key, self.certificate)
        if defect is Defect.FORGED:
            return _promote(signed)
        return _wrap(signed) if defect is Defect.WRAPPED else signed


def open_sts(issuer: str, key: bytes, certificate: bytes) -> DevelopmentSTS:
    """Make the STS from PEM files. ValueError for a key or certificate that cannot sign, or not one of development.

    It vouches for anybody who asks, so it takes no certificate that somebody might trust for real.
    """
    own = load_certificates(certificate)[0]
    if f"O={DEVELOPMENT}" not in subject_of(own):
        raise ValueError(
            f"the development STS signs with a certificate of O={DEVELOPMENT} alone, not {subject_of(own)}"
        )
    return DevelopmentSTS(issuer, load_private_key(key), own)


def _lie(user: UserAssertion, defect: Defect | None) -> UserAssertion:
    """Put the defect into what will be signed; the other defects come after the signature."""
    day = timedelta(days=1)
    match defect:
        case Defect.EXPIRED:
            past = user.issue_instant - day
            return replace(user, issue_instant=past, not_before=past, not_on_or_after=past + LIFETIME)
        case Defect.NOT_YET_VALID:
            return replace(
                user, not_before=user.not_before + 2 * LIFETIME, not_on_or_after=user.not_before + 3 * LIFETIME
            )
        case Defect.WRONG_AUDIENCE:
            return replace(user, audience="urn:example:another-service")
        case Defect.NO_AUTHN_STATEMENT:
            return replace(user, authenticated_by=None)
        case Defect.SECOND_ROLE:
            return replace(user, more_roles=(PEOPLE[DemoRole.REFERRING_DOCTOR].role,))
        case Defect.SECOND_PURPOSE:
            return replace(user, more_purposes=(EMERGENCY,))
    return user


def _promote(signed: _Element) -> _Element:
    """Change the role and the name after signing, as somebody would who found a patient's token."""
    doctor = PEOPLE[DemoRole.TREATING_DOCTOR]
    for role in signed.iter(clark("hl7:Role")):
        role.set("code", f"{doctor.role.code}-forged")
    for name in signed.iter(clark("saml:NameID")):
        name.text = f"{doctor.name_id}-forged"
    return signed


def _wrap(signed: _Element) -> _Element:
    """Put the genuine assertion into the signature of a forged one: the signature verifies, over the other."""
    forged = _promote(deepcopy(signed))
    forged.set("ID", f"_{uuid.uuid4()}")
    signature = forged.find(SIGNATURE)
    assert signature is not None
    for key_info in signature.findall(KEY_INFO):
        signature.remove(key_info)
    SubElement(signature, clark("ds:Object")).append(signed)
    return forged
