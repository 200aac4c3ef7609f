"""HL7 v3 bodies of a Patient Demographics Consumer (ITI TF-2: 3.47.4.1.2, Appendix O)."""

from datetime import UTC, datetime

from ihe.identifiers import new_oid
from soap.xml import escape

NAME = b"<livingSubjectName><value><given>%b</given><family>%b</family></value><semanticsText>LivingSubject.name"
QUERY = b"""<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0">\
<id root="%(message)b"/><creationTime value="%(now)b"/>\
<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201305UV02"/>\
<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="AL"/>\
<receiver typeCode="RCV">\
<device classCode="DEV" determinerCode="INSTANCE"><id root="%(receiver)b"/></device></receiver>\
<sender typeCode="SND">\
<device classCode="DEV" determinerCode="INSTANCE"><id root="%(sender)b"/></device></sender>\
<controlActProcess classCode="CACT" moodCode="EVN">\
<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/>\
<queryByParameter><queryId root="%(query)b"/><statusCode code="new"/>\
<responseModalityCode code="R"/><responsePriorityCode code="I"/>\
<parameterList>%(parameters)b</parameterList></queryByParameter></controlActProcess></PRPA_IN201305UV02>"""


def demographics_query(family: str, given: str, *, sender: str, receiver: str) -> bytes:
    """PRPA_IN201305UV02: who is called so. ``sender`` and ``receiver`` are device OIDs."""
    parameters = NAME % (escape(given), escape(family)) + b"</semanticsText></livingSubjectName>"
    return QUERY % {
        b"message": new_oid().encode(),
        b"now": datetime.now(UTC).strftime("%Y%m%d%H%M%S").encode(),
        b"receiver": escape(receiver),
        b"sender": escape(sender),
        b"query": new_oid().encode(),
        b"parameters": parameters,
    }
