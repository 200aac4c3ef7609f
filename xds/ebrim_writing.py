"""ebRIM out: objects of the model as bytes, in the order of the schema (ITI TF-3: 4.2; ``xds.attribute_tables``)."""

from soap.xml import escape
from xds.compact import pack
from xds.ebrim_forms import FORMS, KINDS, OBJECT_TYPE, nested_ids
from xds.fragments import CUT, RIM_DECLARATION, spelled, splice
from xds.model import Association, Folder, RegistryObject, Submission

__all__ = ["KINDS", "encode", "encode_object", "fragment"]

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
IDENTIFIER = b'<rim:ExternalIdentifier id="'


def encode(submission: Submission) -> bytes:
    """The submission as the element lcm:SubmitObjectsRequest, declaring its own namespaces."""
    return b"".join(
        (
            b'<lcm:SubmitObjectsRequest xmlns:lcm="%s" %s><rim:RegistryObjectList>' % (LCM.encode(), RIM_DECLARATION),
            *(encode_object(each) for each in submission.objects),
            b"</rim:RegistryObjectList></lcm:SubmitObjectsRequest>",
        )
    )


def encode_object(each: RegistryObject) -> bytes:
    """One object as its whole element. The prefix ``rim`` must be declared around it."""
    return splice(
        _written(each),
        status=each.availability_status,
        home=each.home_community_id,
        version=each.version,
        patient_id=None if isinstance(each, Association) or each.patient_id is None else spelled(each.patient_id),
        last_update_time=each.last_update_time if isinstance(each, Folder) else None,
    )


def fragment(each: RegistryObject) -> bytes:
    """One object as it is stored: everything that cannot change, cut where ``splice`` puts what can."""
    return pack(_written(each))


def _written(each: RegistryObject) -> bytes:
    """Nested objects get ids that follow from the object's own, so that answers are repeatable."""
    form, id, nested = FORMS[type(each)], escape(each.entry_uuid), nested_ids(each.entry_uuid)
    identified = b'" objectType="%sClassification" classifiedObject="%s"' % (OBJECT_TYPE, id)
    classifications = [
        b"".join((b'<rim:Classification id="', next(nested), identified, rest)) for rest in form.classifications(each)
    ]
    named = b'" objectType="%sExternalIdentifier" registryObject="%s"' % (OBJECT_TYPE, id)
    identifiers = [b"".join((IDENTIFIER, next(nested), named, rest)) for rest in form.identifiers(each)]
    pieces = [form.head(each, id), form.slots(each), b"".join((*classifications, *identifiers))]
    if form.patient and not isinstance(each, Association) and each.patient_id is not None:
        before, after = form.patient
        pieces[2:] = [b"".join((pieces[2], IDENTIFIER, next(nested), named, before)), after + form.end]
    else:
        pieces[2] += form.end
    return CUT.join(pieces)
