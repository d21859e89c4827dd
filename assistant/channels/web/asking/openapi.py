"""What the HTTP interface promises, as OpenAPI 3.1; the tests hold the server to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant import __version__
from assistant.channels.web.asking import reading
from assistant.channels.web.asking.conversations import MOST_TURNS

Schema = dict[str, Any]

_ABOUT = (
    "Questions in, answers out, from pages on this machine. Turns of one conversation are answered one after "
    "the other. No cookie is used: whoever has the id of a conversation can read it and forget it. "
    "Speaking goes over the WebSockets `/api/speech`, `/api/kiosk` and `/vosk`."
)
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_SWITCH: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TAG: Schema = {"type": "string", "description": 'A language, such as "de"'}
_LANGUAGE: Schema = {
    "type": "string",
    "pattern": f"^{reading.LANGUAGE}$",
    "examples": ["de"],
    "description": "Of the customer; one that the pages do not have is passed over.",
}
_ID: Schema = {
    "type": "string",
    "maxLength": reading.LONGEST_ID,
    "description": "As an answer gave it. Left out or forgotten: a new conversation is begun.",
}


def _text(least: int, most: int, meaning: str) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": most, "description": meaning}


def _object(fields: Mapping[str, Schema], needed: tuple[str, ...] | None = None) -> Schema:
    """An object with these fields and no others; all of them are needed where nothing else is said."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": list(fields if needed is None else needed),
        "additionalProperties": False,
    }


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_PAGE_LANGUAGE = {**_LANGUAGE, "description": "What the page is in: counts until something was said."}
_IN_CONVERSATION = {"conversation": _ID, "language": _LANGUAGE, "page_language": _PAGE_LANGUAGE}
_ASK = _object(
    {
        "text": _text(1, reading.LONGEST_TEXT, "The question; or the label or number of a choice."),
        **_IN_CONVERSATION,
        "also_heard": {
            "type": "array",
            "maxItems": reading.MOST_ALSO_HEARD,
            "items": _text(0, reading.LONGEST_HEARD, "Another reading of the same sound"),
            "description": "Of what was spoken, best first.",
        },
        "spoken": {**_SWITCH, "description": "It was spoken, in `language`; that alone switches to none."},
    },
    ("text",),
)
_OPEN = _object(
    {
        "entry": {
            **_text(
                1, reading.LONGEST_NAME, "The name of an entry, or of a sentence of the assistant's own."
            ),
            "examples": ["help", "start-over", "person-please", "greeting"],
        },
        **_IN_CONVERSATION,
    },
    ("entry",),
)
_REPEAT = _object(_IN_CONVERSATION, ("conversation",))
_FEEDBACK = _object(
    {
        "conversation": _ID,
        "turn": {"type": "integer", "minimum": 1, "maximum": reading.LARGEST_TURN},
        "helpful": _SWITCH,
    }
)

_ERROR = _object({"error": _object({"fact": _TEXT, "hint": _TEXT})})
_TURN: dict[str, Schema] = {
    "turn": {"type": "integer", "minimum": 1, "description": "Its number in the conversation."},
    "outcome": {"type": "string", "enum": ["found", "unsure", "unknown"]},
    "entry": _or_null(_TEXT),
    "language": _TAG,
    "answer": {**_TEXT, "description": "Markdown"},
    "html": {**_TEXT, "description": "The answer, safe to put into a page."},
    "spoken": {**_TEXT, "description": "The answer in plain words, for a voice."},
    "portions": {**_TEXTS, "description": "`spoken` in parts of about 20 seconds."},
    "choices": _list(_object({"number": {"type": "integer", "minimum": 1}, "label": _TEXT})),
    "media": _list(_object({"path": {"type": "string", "pattern": "^/media/"}, "description": _TEXT})),
    "ms": {"type": "number", "minimum": 0},
}
_CHOSEN = {**_or_null(_TAG), "description": "The language that the customer switched to."}
_ANSWER = _object({**_TURN, "conversation": _TEXT, "chosen_language": _CHOSEN})
_KEPT_TURN = _object(
    {
        **_TURN,
        "question": {**_or_null(_TEXT), "description": "null: opened, not asked."},
        "at": {"type": "string", "format": "date-time"},
        "helpful": _or_null(_SWITCH),
    }
)
_CONVERSATION = _object(
    {
        "conversation": _TEXT,
        "chosen_language": _CHOSEN,
        "language": _or_null(_TAG),
        "turns": {**_list(_KEPT_TURN), "maxItems": MOST_TURNS},
    }
)
_WORDS: Schema = {"type": "object", "additionalProperties": _TEXT}
_WELCOME = _object(
    {
        "language": _TAG,
        "languages": _list(_object({"tag": _TAG, "name": _TEXT, "heard": _SWITCH, "spoken": _SWITCH})),
        "greeting": _object({"html": _TEXT, "spoken": _TEXT}),
        "samples": _TEXTS,
        "words": _WORDS,
        "kiosk_words": _WORDS,
        "settings": _object({"idle_seconds": {"type": "number"}, "volume": {"type": "number"}}),
    }
)
_ENTRY = _object(
    {"name": _TEXT, "language": _TAG, "title": _TEXT, "questions": _TEXTS, "tags": _TEXTS, "page": _TEXT}
)
_HEALTH = _object(
    {
        "status": {"type": "string", "const": "ok"},
        "languages": _TEXTS,
        "entries": _COUNT,
        "conversations": _COUNT,
        "seats": _object({"taken": _COUNT, "all": _COUNT}),
        "notes": _TEXTS,
    }
)


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _refusal(meaning: str) -> Schema:
    return {"description": meaning, "content": _json({"$ref": "#/components/schemas/Error"})}


_GONE = {"404": _refusal("It is not known here, or forgotten.")}
_BUSY: Schema = {
    **_refusal("Too many are asking at this moment."),
    "headers": {"Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "Seconds"}},
}
_ALWAYS = {
    "4XX": _refusal("Not as described here, too large, too slow, too often, from a strange site or host."),
    "503": _BUSY,
}


def _operation(name: str, summary: str, responses: Schema, **more: Any) -> Schema:
    return {"operationId": name, "summary": summary, **more, "responses": {**responses, **_ALWAYS}}


def _ok(meaning: str, schema: Schema) -> Schema:
    return {"200": {"description": meaning, "content": _json(schema)}}


def _done(meaning: str) -> Schema:
    return {"204": {"description": meaning}}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": _json(schema)}


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


_ID_IN_PATH: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_THE_CONVERSATION = {"id": "$response.body#/conversation"}
_LINKS = {
    "history": {"operationId": "history", "parameters": _THE_CONVERSATION},
    "forget": {"operationId": "forget", "parameters": _THE_CONVERSATION},
}
_ANSWERED: Schema = {
    "200": _ok("The answer.", {"$ref": "#/components/schemas/Answer"})["200"] | {"links": _LINKS}
}


def _asking() -> Schema:
    return {
        "/api/ask": {
            "post": _operation("ask", "Ask a question", _ANSWERED, requestBody=_body(_ASK)),
        },
        "/api/open": {
            "post": _operation("open", "Open an entry by name", _ANSWERED | _GONE, requestBody=_body(_OPEN)),
        },
        "/api/repeat": {
            "post": _operation("repeat", "The last answer again", _ANSWERED, requestBody=_body(_REPEAT)),
        },
        "/api/feedback": {
            "post": _operation(
                "feedback",
                "Say whether an answer helped",
                _done("Noted.") | _GONE,
                requestBody=_body(_FEEDBACK),
            ),
        },
        "/api/conversations/{id}": {
            "parameters": [_ID_IN_PATH],
            "get": _operation("history", "A conversation so far", _ok("Its turns.", _CONVERSATION) | _GONE),
            "delete": _operation("forget", "Forget a conversation", _done("Nothing of it is kept.")),
        },
    }


def _looking() -> Schema:
    count: Schema = {"type": "integer", "minimum": 1, "maximum": reading.MOST_SUGGESTED, "default": 5}
    typed = _text(0, reading.LONGEST_TYPED, "What has been typed so far.")
    language = _query("language", _LANGUAGE)
    suggested = _ok("The best first.", _object({"suggestions": _TEXTS}))
    listed = _ok("In the order of the pages.", _object({"entries": _list(_ENTRY)}))
    welcome = _ok("In that language, or the nearest.", _WELCOME)
    figures = {"200": {"description": "For Prometheus.", "content": {"text/plain": {"schema": _TEXT}}}}
    described = _ok("OpenAPI 3.1.", {"type": "object"})
    return {
        "/api/suggestions": {
            "get": _operation(
                "suggestions",
                "Questions like what is being typed",
                suggested,
                parameters=[_query("text", typed), language, _query("count", count)],
            ),
        },
        "/api/entries": {
            "get": _operation("entries", "What can be answered", listed, parameters=[language]),
        },
        "/api/welcome": {
            "get": _operation("welcome", "What a page shows first", welcome, parameters=[language]),
        },
        "/api/health": {"get": _operation("health", "How the server is", _ok("It works.", _HEALTH))},
        "/metrics": {"get": _operation("metrics", "What was counted", figures)},
        "/api/openapi.json": {"get": _operation("description", "This description", described)},
    }


@cache
def description() -> Schema:
    """The whole of it, ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Offline assistant", "version": __version__, "description": _ABOUT},
        "paths": _asking() | _looking(),
        "components": {"schemas": {"Answer": _ANSWER, "Error": _ERROR}},
    }


async def _describe(_: Request) -> Response:
    return JSONResponse(description())


routes = [Route("/api/openapi.json", _describe)]
