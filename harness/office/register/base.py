"""How values are stored: moments as UTC text, words as their values, lists and tables as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import JSON, Dialect, MetaData, String, TypeDecorator
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase

from harness.clock import CHINA
from harness.office import vocabulary

MOMENTS = 4096
"""Texts whose moment is remembered: lists show the same ones over and over."""


class Moment(TypeDecorator[datetime]):
    """A moment to the second, read back in China's time. Text sorts as time does."""

    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Returns a moment as the database keeps it, in UTC."""
        del dialect
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Returns the moment that the database keeps."""
        del dialect
        return None if value is None else moment(value)


@lru_cache(maxsize=MOMENTS)
def moment(text: str) -> datetime:
    """Returns the moment that a text of the database states, in China's time."""
    return datetime.fromisoformat(text).astimezone(CHINA)


def _values(kind: type[Enum]) -> list[str]:
    return [str(one.value) for one in kind]


def _word(kind: type[vocabulary.Word]) -> EnumType:
    return EnumType(kind, native_enum=False, values_callable=_values, length=32, create_constraint=False)


VOCABULARY = (
    vocabulary.PersonKind,
    vocabulary.DocumentType,
    vocabulary.OutletKind,
    vocabulary.Role,
    vocabulary.Life,
    vocabulary.Loss,
    vocabulary.Kind,
    vocabulary.Progress,
    vocabulary.Delay,
    vocabulary.Relation,
    vocabulary.Incapacity,
    vocabulary.AccountState,
    vocabulary.Outcome,
)


class Base(DeclarativeBase):
    """Every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
        **{kind: _word(kind) for kind in VOCABULARY},
    }
