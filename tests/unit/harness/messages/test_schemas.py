"""What a schema finds wrong is told in the user's language: no keyword that our schemas have is left in English."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from emulator.messages import CHINESE, spoken
from harness.messages import schemas

ROOT = Path(__file__).parents[4]
TOLD_ELSEWHERE = {"additionalProperties", "anyOf", "oneOf", "allOf", "not", "if", "dependentRequired", "propertyNames"}
"""Unknown names have words of their own; of several schemas the nearest is told."""


@pytest.mark.parametrize(
    ("schema", "value", "english", "chinese"),
    [
        ({"required": ["operations"]}, {}, "'operations' is a required property", "缺少必填项'operations'"),
        ({"type": "object"}, [], "expected a table of names, found []", "应为由名称组成的表，实为[]"),
        ({"type": ["string", "null"]}, 5, "expected text or nothing, found 5", "应为文本"),
        ({"enum": ["a", "b"]}, "c", "'c' is not one of ['a', 'b']", "'c'不在['a', 'b']之中"),
        ({"const": 1}, 2, "1 was expected", "应为1"),
        ({"exclusiveMinimum": 0}, 0, "0 is less than or equal to the minimum of 0", "0小于或等于最小值0"),
        ({"minItems": 1}, [], "[] has fewer than 1 entries", "[]少于1项"),
        ({"pattern": "^(a|b)$"}, "x", "expected one of a, b, found 'x'", "应为a, b之一，实为'x'"),
    ],
)
def test_each_rule_is_told_in_the_language(schema: dict[str, Any], value: object, english: str, chinese: str) -> None:
    (fault,) = jsonschema.Draft202012Validator(schema).iter_errors(value)
    with spoken("en"):
        assert schemas.said(fault) == english
    with spoken(CHINESE):
        assert schemas.said(fault).startswith(chinese)


def keywords(schema: object) -> Iterator[str]:
    """The names of a schema's rules, in all its depth; names of properties are none."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            yield name
            below = inner.values() if name in ("properties", "$defs", "patternProperties") else [inner]
            for one in below:
                yield from keywords(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from keywords(one)


def test_every_rule_of_our_own_schemas_has_words() -> None:
    ruling = set(jsonschema.Draft202012Validator.VALIDATORS) - TOLD_ELSEWHERE
    within = {"items", "properties", "patternProperties", "$ref", "prefixItems"}
    files = list((ROOT / "harness").rglob("schema-*.json"))
    assert files
    used = {name for file in files for name in keywords(read(file))} & ruling - within
    assert used <= {"pattern", "required", "type", *schemas.LIMITED}


def read(file: Path) -> object:
    """A schema as it is published."""
    return json.loads(file.read_text(encoding="utf-8"))
