"""How tests spell what they ask of a registry (ITI TF-2: 3.18.4.1.2.3.4)."""

import pytest

from conformance.counterparts.metadata import Inventor
from ihe.datatypes import Code


def two_codes(invent: Inventor, attribute: str) -> tuple[Code, Code]:
    """Two codes that the system takes; without a second one the test is skipped."""
    codes = invent.system.all_codes(attribute)
    if len(codes) < 2:
        pytest.skip(f"codes.{attribute} of the declaration has no second code")
    return codes[0], codes[1]


def listed(*codes: Code) -> str:
    """Codes as a query spells them: ('code^^scheme',...) (ITI TF-2: 3.18.4.1.2.3.4)."""
    return "({})".format(",".join(f"'{each.code}^^{each.scheme}'" for each in codes))
