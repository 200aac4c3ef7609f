"""Which rules hold for which HL7 v3 interaction: of a request beside what its transaction asks, of an answer all."""

from collections.abc import Mapping

from lxml.etree import _Element

from conformance.validators.v3_answers import DEMOGRAPHICS_ANSWER
from conformance.validators.v3_feeds import ADD_OR_REVISE, MERGES
from conformance.validators.v3_identifiers_answer import IDENTIFIERS_ANSWER
from conformance.validators.v3_wrapping import (
    ADVICE,
    EVERY_ANSWER,
    EVERY_REQUEST,
    REGISTRATIONS,
    accept_acknowledgement_is_of_its_kind,
    application_acknowledgement_is_of_its_kind,
)
from ihe.rules import Rule
from pix.v3_wrappers import WRAPPER_RULES, message_has_one_control_act, trigger_event_belongs_to_the_interaction

Rules = tuple[Rule[_Element], ...]
OF_CONTROL_ACTS = (message_has_one_control_act, trigger_event_belongs_to_the_interaction)
OF_ACKNOWLEDGEMENTS: Rules = tuple(each for each in WRAPPER_RULES if each not in OF_CONTROL_ACTS)
OF_QUERY_ANSWERS: Rules = (
    *WRAPPER_RULES,
    *EVERY_ANSWER,
    application_acknowledgement_is_of_its_kind,
    *REGISTRATIONS,
)
RULES: Mapping[str, Rules] = {
    "MCCI_IN000002UV01": (*OF_ACKNOWLEDGEMENTS, *EVERY_ANSWER, accept_acknowledgement_is_of_its_kind),
    "PRPA_IN201306UV02": (*OF_QUERY_ANSWERS, *DEMOGRAPHICS_ANSWER),
    "PRPA_IN201310UV02": (*OF_QUERY_ANSWERS, *IDENTIFIERS_ANSWER),
    "PRPA_IN201301UV02": (*EVERY_REQUEST, *REGISTRATIONS, *ADD_OR_REVISE),
    "PRPA_IN201302UV02": (*EVERY_REQUEST, *REGISTRATIONS, *ADD_OR_REVISE),
    "PRPA_IN201304UV02": (*EVERY_REQUEST, *REGISTRATIONS, *MERGES),
    "PRPA_IN201305UV02": EVERY_REQUEST,
    "PRPA_IN201309UV02": EVERY_REQUEST,
    "QUQI_IN000003UV01": EVERY_REQUEST,
    "QUQI_IN000003UV01_Cancel": EVERY_REQUEST,
}
EVERY_RULE: Rules = tuple(dict.fromkeys((*(each for rules in RULES.values() for each in rules), *ADVICE)))
