"""Hypothesis strategies for people whose names, dates and homes come from small sets, so that they meet by chance."""

from hypothesis import strategies as st

from pix.matching.subject import Subject, subject
from pix.model import Address, Demographics, PersonName, Telecom

FAMILIES = (
    "Müller",
    "Muller",
    "da Silva",
    "Silva Santos",
    "Weber-Thill",
    "Thill",
    "van den Berg",
    "Meyer",
    "Maier",
    "",
)
GIVENS = (
    "Jean",
    "Jang",
    "Jeanne",
    "Paul",
    "Paula",
    "Marie Louise",
    "Louise",
    "Maria João",
    "M.",
    "Bébé",
    "Tim",
    "Tom",
    "",
)
BIRTHS = ("19800312", "19801203", "19800313", "19500312", "19800101", "1980", "198003", "", "20150302", "nonsense")
SEXES = ("F", "M", "U", None)
PLACES = (
    Address(street="12, rue de la Gare", postal_code="L-1611", city="Luxembourg"),
    Address(street="rue de la Gare 14", postal_code="1611", city="LUXEMBOURG"),
    Address(street="5, rue Foch", postal_code="57100", city="Thionville"),
    Address(city="Esch"),
)
PHONES = (Telecom(number="+352 621 123 456"), Telecom(number="00352621123456"), Telecom(number="0000000"))
NATIONALS = (("1.2.3", "a"), ("1.2.3", "b"), ("1.2.4", "a"))

names = st.builds(
    PersonName,
    family=st.sampled_from(FAMILIES),
    given=st.sampled_from(GIVENS),
    further_given=st.sampled_from(("", "Anne")),
)
demographics = st.builds(
    Demographics,
    names=st.lists(names, max_size=2).map(tuple),
    birth_time=st.sampled_from(BIRTHS),
    sex=st.sampled_from(SEXES),
    addresses=st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
    home_phones=st.lists(st.sampled_from(PHONES), max_size=2).map(tuple),
    mothers_maiden_names=st.sampled_from(((), (PersonName(family="Majerus"),), (PersonName(family="Krier"),))),
    birth_order=st.sampled_from((None, "1", "2")),
    identity_unknown=st.sampled_from((None, None, "Y")),
    ssn=st.sampled_from((None, None, "123456", "123457")),
)
nationals = st.lists(st.sampled_from(NATIONALS), max_size=1).map(tuple)
subjects: st.SearchStrategy[Subject] = st.builds(subject, demographics, nationals)
