"""The HTTP interface: questions in, answers out. What it promises is written in `openapi.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assistant.channels.web.asking import reading
from assistant.channels.web.asking.conversations import Kept, KeptTurn, new_id
from assistant.channels.web.asking.offering import entry_list, offered_language, welcome_fields
from assistant.channels.web.asking.replies import conversation_fields, history_fields, outcome_of, turn_fields
from assistant.channels.web.guarding.failures import Refused
from assistant.channels.web.metrics import MEDIA_TYPE
from assistant.channels.web.shared import Shared, shared
from assistant.channels.web.values import Backstage
from assistant.dialogue.own_voice import own_sentence
from assistant.dialogue.tongue import known_language
from assistant.values import Conversation, Knowledge, Outcome, Reply, Utterance

_CONVERSATION = reading.text(0, reading.LONGEST_ID)
_IN_CONVERSATION = {
    "conversation": _CONVERSATION,
    "language": reading.language,
    "page_language": reading.language,
}
_ASK = {
    "text": reading.text(1, reading.LONGEST_TEXT),
    **_IN_CONVERSATION,
    "also_heard": reading.texts(reading.MOST_ALSO_HEARD, reading.LONGEST_HEARD),
    "spoken": reading.switch,
}
_OPEN = {"entry": reading.text(1, reading.LONGEST_NAME), **_IN_CONVERSATION}
_FEEDBACK = {
    "conversation": _CONVERSATION,
    "turn": reading.whole_number(1, reading.LARGEST_TURN),
    "helpful": reading.switch,
}
_SUGGESTIONS = {
    "text": reading.text(0, reading.LONGEST_TYPED),
    "language": reading.language,
    "count": reading.written_number(1, reading.MOST_SUGGESTED),
}
_SUGGESTED = 5  # more are not read while typing
# The conversation afterwards, the reply, what became of the question, how long it took.
_Made = tuple[Conversation, Reply, Outcome, float]


async def ask(request: Request) -> Response:
    """One question of a conversation, answered."""
    body, desk = await reading.read_body(request, _ASK, ("text",)), shared(request)
    is_spoken = bool(body["spoken"])

    def answer(before: Conversation) -> _Made:
        heard_language = (body["language"] if is_spoken else None) or None
        utterance = Utterance(body["text"], heard_language, body["also_heard"] or (), is_heard=is_spoken)
        after, turn = desk.backstage.assistant.answer(before, utterance)
        on_page = _on_page(desk, before, body)
        # Where its words tell no language, that of the page is the best guess.
        if turn.match.ranking.language is None and on_page != before:
            after, turn = desk.backstage.assistant.answer(on_page, utterance)
        became = outcome_of(after, turn.reply, turn.match)
        desk.metrics.answered(turn, became, is_spoken)
        return after, turn.reply, became, turn.milliseconds

    return await _take_turn(desk, body, body["text"], answer)


async def open_entry(request: Request) -> Response:
    """An entry without a question, as by a key: `help`, `start-over`."""
    body, desk = await reading.read_body(request, _OPEN, ("entry",)), shared(request)
    name, assistant = body["entry"], desk.backstage.assistant
    if not _is_known(assistant.knowledge, name):
        raise Refused(404, "there is no entry of that name", "/api/entries lists them")

    def opened(before: Conversation) -> _Made:
        after, reply = assistant.open_entry(_on_page(desk, before, body), name)
        return after, reply, outcome_of(after, reply), 0.0

    return await _take_turn(desk, body, None, opened)


async def repeat(request: Request) -> Response:
    """The last reply again, in the language chosen since."""
    body, desk = await reading.read_body(request, _IN_CONVERSATION, ("conversation",)), shared(request)

    def repeated(before: Conversation) -> _Made:
        after, reply = desk.backstage.assistant.repeat(before)
        return after, reply, outcome_of(after, reply), 0.0

    return await _take_turn(desk, body, None, repeated)


async def _take_turn(
    desk: Shared, body: Mapping[str, Any], question: str | None, make: Callable[[Conversation], _Made]
) -> Response:
    """A turn in the conversation of the request, or in a new one; those of one conversation wait for
    each other."""
    known = desk.conversations.find(body["conversation"] or "")
    kept = known or Kept(new_id())
    async with kept.alone():
        before = _in_language(desk.backstage, kept.conversation, body)
        after, turn, fields = await desk.work(_made_turn, make, before, kept.next_number, question)
        kept.add(after, turn)
    if known is None:
        desk.conversations.keep(kept)  # only now: what is refused must not push others out
    return JSONResponse(fields | conversation_fields(kept))


def _in_language(backstage: Backstage, before: Conversation, body: Mapping[str, Any]) -> Conversation:
    """The conversation in the language that the customer switched to, where the pages have it.

    The language in which something was heard chooses none, but takes the place of one chosen before.
    """
    known = known_language(backstage.assistant.knowledge, body["language"])
    if known is None or (body.get("spoken") and before.chosen_language is None):
        return before
    return before.with_language(known)


def _on_page(desk: Shared, before: Conversation, body: Mapping[str, Any]) -> Conversation:
    """The conversation in the language of the page, where nothing was said in any yet."""
    if before.language is not None:
        return before
    return replace(before, language=known_language(desk.backstage.assistant.knowledge, body["page_language"]))


def _made_turn(
    make: Callable[[Conversation], _Made], before: Conversation, number: int, question: str | None
) -> tuple[Conversation, KeptTurn, dict[str, Any]]:
    after, reply, became, milliseconds = make(before)
    turn = KeptTurn(number, question, datetime.now(UTC), reply, became, milliseconds)
    return after, turn, turn_fields(turn)


def _is_known(knowledge: Knowledge, name: str) -> bool:
    """Whether the pages have the entry, or the assistant a sentence of its own of that name."""
    return bool(knowledge.translations(name) or own_sentence(knowledge, name, "en").text)


async def _conversation(request: Request) -> Response:
    # One route for both, so that a refusal of other methods names both.
    return await (forget(request) if request.method == "DELETE" else history(request))


async def history(request: Request) -> Response:
    """A conversation as a page shows it again."""
    desk = shared(request)
    kept = _remembered(desk, request.path_params["id"])
    turns = [(turn, kept.votes.get(turn.number)) for turn in kept.turns]
    shown = await desk.work(lambda: [history_fields(turn, vote) for turn, vote in turns])
    language = kept.conversation.language
    return JSONResponse({**conversation_fields(kept), "language": language, "turns": shown})


async def forget(request: Request) -> Response:
    """Nothing of the conversation is kept; the same where it was forgotten before."""
    shared(request).conversations.forget(request.path_params["id"])
    return Response(status_code=204)


async def feedback(request: Request) -> Response:
    """Whether an answer helped."""
    body = await reading.read_body(request, _FEEDBACK, tuple(_FEEDBACK))
    desk = shared(request)
    kept, number = _remembered(desk, body["conversation"]), body["turn"]
    if kept.turn(number) is None:
        raise Refused(404, f"the conversation has no turn {number}")
    if kept.votes.get(number) != body["helpful"]:
        kept.votes[number] = body["helpful"]
        desk.metrics.judged(body["helpful"])
    return Response(status_code=204)


def _remembered(desk: Shared, id: str) -> Kept:
    kept = desk.conversations.find(id)
    if kept is None:
        raise Refused(404, "this conversation is not known", "it may have been forgotten: begin a new one")
    return kept


async def suggestions(request: Request) -> Response:
    """Questions of the pages that fit what is being typed."""
    query, desk = reading.read_query(request, _SUGGESTIONS), shared(request)
    language = offered_language(desk.backstage, query["language"])
    found = await desk.work(desk.suggest, query["text"] or "", language, query["count"] or _SUGGESTED)
    return JSONResponse({"suggestions": list(found)})


async def entries(request: Request) -> Response:
    """What the pages answer."""
    query, desk = reading.read_query(request, {"language": reading.language}), shared(request)
    # Written in the thread as well: a large base has megabytes.
    return await desk.work(
        lambda: JSONResponse(entry_list(desk.backstage.assistant.knowledge, query["language"]))
    )


async def welcome(request: Request) -> Response:
    """What a page needs before the first question."""
    query, desk = reading.read_query(request, {"language": reading.language}), shared(request)
    return JSONResponse(await desk.work(welcome_fields, desk.backstage, query["language"]))


async def health(request: Request) -> Response:
    """Whether and with what the server works; asks for no worker thread, so that it answers under load."""
    desk = shared(request)
    assistant = desk.backstage.assistant
    return JSONResponse(
        {
            "status": "ok",
            "languages": list(desk.backstage.languages),
            "entries": len(assistant.knowledge.names),
            "conversations": len(desk.conversations),
            "seats": {"taken": desk.seats.taken, "all": desk.backstage.settings.web.most_speaking},
            "notes": [*assistant.matcher.notes, *desk.watch.notes],
        }
    )


async def metrics(request: Request) -> Response:
    return Response(shared(request).metrics.text(), media_type=MEDIA_TYPE)


routes = [
    Route("/api/ask", ask, methods=["POST"]),
    Route("/api/open", open_entry, methods=["POST"]),
    Route("/api/repeat", repeat, methods=["POST"]),
    Route("/api/feedback", feedback, methods=["POST"]),
    Route("/api/conversations/{id}", _conversation, methods=["GET", "DELETE"]),
    Route("/api/suggestions", suggestions),
    Route("/api/entries", entries),
    Route("/api/welcome", welcome),
    Route("/api/health", health),
    Route("/metrics", metrics),
]
