"""What a JSON schema finds wrong, in the user's language: the library that looks has English alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.messages import _, deferred
from harness.messages import forms

if TYPE_CHECKING:
    import jsonschema

LIMITED = {
    "minimum": deferred("{instance!r} is less than the minimum of {limit!r}"),
    "maximum": deferred("{instance!r} is greater than the maximum of {limit!r}"),
    "exclusiveMinimum": deferred("{instance!r} is less than or equal to the minimum of {limit!r}"),
    "enum": deferred("{instance!r} is not one of {limit!r}"),
    "const": deferred("{limit!r} was expected"),
    "minItems": deferred("{instance!r} has fewer than {limit!r} entries"),
    "maxItems": deferred("{instance!r} has more than {limit!r} entries"),
    "minProperties": deferred("{instance!r} has fewer than {limit!r} entries"),
    "maxProperties": deferred("{instance!r} has more than {limit!r} entries"),
    "minLength": deferred("{instance!r} has fewer than {limit!r} characters"),
    "maxLength": deferred("{instance!r} has more than {limit!r} characters"),
    "uniqueItems": deferred("{instance!r} has an entry twice"),
}
"""What is told of a rule of a schema, by its keyword; ``limit`` is what the schema says there."""
KINDS = {
    "object": deferred("a table of names"),
    "array": deferred("a list"),
    "string": deferred("text"),
    "integer": deferred("a whole number"),
    "number": deferred("a number"),
    "boolean": deferred("true or false"),
    "null": deferred("nothing"),
}
"""What a schema calls a kind of value, and what we call it."""


def said(fault: jsonschema.ValidationError) -> str:
    """What is wrong, in words; a rule that is not known here in the library's own."""
    keyword = str(fault.validator)
    limit: Any = fault.validator_value
    if keyword == "pattern":
        return _("expected {form}, found {instance!r}").format(form=forms.form(str(limit)), instance=fault.instance)
    if keyword == "required":  # a fault for each name, which stands in the words alone
        return _("{name} is a required property").format(name=fault.message.rpartition(" is ")[0])
    if keyword == "type":
        kinds = [limit] if isinstance(limit, str) else limit
        told = _(" or ").join(_(KINDS[one]) for one in kinds)
        return _("expected {form}, found {instance!r}").format(form=told, instance=fault.instance)
    if keyword in LIMITED:
        return _(LIMITED[keyword]).format(instance=fault.instance, limit=limit)
    return fault.message
