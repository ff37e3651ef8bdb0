"""The form of an adapter: how an office is asked over HTTP, and its answers read. ``schema-1.json`` is made of this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from harness.verdicts import models
from harness.verdicts.models import Schema, exactly, refers, says

Expression: TypeAlias = Annotated[
    str, says(minLength=1, description="JMESPath over `status`, `headers` (names in small letters) and `body`")
]
Template: TypeAlias = Annotated[
    Any, exactly(description="`{name}` is put in, `{name?}` left out where there is none, `{name|words}` translated")
]
Text: TypeAlias = Annotated[str, says(minLength=1)]
Templates: TypeAlias = dict[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value of an answer, translated."""

    at: Expression
    words: Annotated[Text, says(description="a table of `words`: theirs to ours")]


Given: TypeAlias = Annotated[Found | Expression, refers("given")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How an answer is read: the first of these that holds says how it ended."""

    DEFINED: ClassVar[str] = "answers"
    SCHEMA: ClassVar[Schema] = {"minProperties": 1}

    form: (
        Annotated[Literal["json", "xml", "text"], says(description="what the body is; absent: by its content type")]
        | None
    ) = None
    ending: Annotated[Given, says()] | None = None
    done: Expression | None = None
    half_way: Expression | None = None
    refused: Expression | None = None
    failed: Expression | None = None
    unknown: Expression | None = None
    code: Annotated[Expression, says(description="of a refusal: their code or text, which `codes` maps")] | None = None
    why: Expression | None = None
    notices: (
        Annotated[Expression, says(description="articles that the holder is told of, a list of numbers")] | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request over HTTP, and what is read from its answer."""

    DEFINED: ClassVar[str] = "ask"

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Annotated[str, says(pattern="^/", description="a template, below --against; values are escaped")]
    query: Templates | None = None
    headers: Templates | None = None
    json: Template | None = None
    form: Templates | None = None
    xml: Annotated[str, says(description="a template; values are escaped")] | None = None
    text: Annotated[str, says(description="a template")] | None = None
    content_type: Text | None = None
    gives: (
        Annotated[dict[str, Given], says(description="what is told, by our names; `*`: every member of an object")]
        | None
    ) = None
    answers: Annotated[Answers, says(description="where this one is read otherwise")] | None = None
    omits: (
        Annotated[
            dict[str, Text],
            says(description="fields of our request that the office need not know (`holder.type`, `person`), and why"),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """Basic authentication (RFC 7617)."""

    user: Text
    password: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """Who asks: never in the file itself, but `{env.NAME}`, or `{login.NAME}` of what the login gave."""

    SCHEMA: ClassVar[Schema] = {"minProperties": 1}

    bearer: Text | None = None
    basic: Basic | None = None
    headers: dict[str, Text] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """How the state afterwards is read back."""

    SCHEMA: ClassVar[Schema] = {"minProperties": 1}

    register: Ask | None = None
    person: Ask | None = None
    chip: Ask | None = None
    chips: (
        Annotated[Ask, refers("ask", description="gives `cards`: a digest of each card's content, by number")] | None
    ) = None
    trail: Annotated[Ask, refers("ask", description="gives `lines`")] | None = None
    outlets: Annotated[Ask, refers("ask", description="gives `outlets`")] | None = None
    unwritten: Annotated[Ask, refers("ask", description="is given {text}; gives `found`: true or false")] | None = None
    seal: (
        Annotated[Ask, refers("ask", description="after each scenario; gives `broken`: null where the trail holds")]
        | None
    ) = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """What the office has not, and why: what needs it is not applicable, instead of not judged."""

    what: Annotated[
        Text, says(description="a scenario's id, or what is said to be missing, as `clock`, `chip.pin`; * is anything")
    ]
    reason: Annotated[str, says(minLength=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterDocument:
    """An adapter's document."""

    adapter: Annotated[Literal[1], says(description="the format")]
    office: Annotated[Text, says(description="what it is for: product and version")]
    timeout: Annotated[float, says(exclusiveMinimum=0, maximum=600, description="seconds")] = 10.0
    ca: Annotated[Text, says(description="a file of certificates (PEM) that vouch for the office")] | None = None
    headers: Templates | None = None
    auth: Auth | None = None
    login: Annotated[Ask, refers("ask", description="before a clerk's first request; cookies are kept")] | None = None
    clerks: Annotated[dict[str, Text], says(description="ours to theirs; `{clerk}` in templates")] | None = None
    reset: Annotated[Ask, refers("ask", description="before each scenario: an empty register")] | None = None
    clock: Annotated[Ask, refers("ask", description="is given {moment}, as 2025-03-03T09:00:00")] | None = None
    reader: Annotated[Ask, refers("ask", description="puts {in_reader} into the office's reader")] | None = None
    answers: Answers
    codes: (
        Annotated[
            dict[str, Annotated[str | tuple[Text, ...], says()]],
            says(description="their code to our rule, or to several that it stands for; /…/ is an expression"),
        ]
        | None
    ) = None
    words: Annotated[dict[str, dict[str, Any]], says(description="tables that `|` and `words` translate by")] | None = (
        None
    )
    operations: Annotated[dict[str, Ask], says(minProperties=1)]
    queries: Queries | None = None
    not_applicable: tuple[NotApplicable, ...] | None = None


def asks(adapter: AdapterDocument) -> Iterator[tuple[tuple[str, ...], Ask]]:
    """Every request of an adapter, and where it stands."""
    for name in ("login", "reset", "clock", "reader"):
        ask = getattr(adapter, name)
        if ask is not None:
            yield (name,), ask
    for name, ask in adapter.operations.items():
        yield ("operations", name), ask
    for name, ask in models.said(adapter.queries).items() if adapter.queries is not None else ():
        yield ("queries", name), ask


def schema() -> Schema:
    """Returns the published schema of adapters."""
    return {
        **models.published(AdapterDocument, "sscard adapter, format 1"),
        "$defs": {
            "given": {"oneOf": [models.of(Expression), models.written_out(Found)]},
            Answers.DEFINED: models.written_out(Answers),
            Ask.DEFINED: models.written_out(Ask),
        },
    }


def text() -> str:
    """Returns the content of ``schema-1.json``."""
    return models.as_text(schema())
