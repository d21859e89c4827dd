"""Values -> JSON: what programs and pages get for a turn. Pure, and made in a worker thread."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from assistant.channels.web.asking import rendering
from assistant.channels.web.asking.conversations import Kept, KeptTurn
from assistant.dialogue.portions import portions
from assistant.values import Conversation, Found, Match, Outcome, Reply, Several, outcome


def turn_fields(turn: KeptTurn) -> dict[str, Any]:
    """One turn, all but the conversation it belongs to."""
    reply = turn.reply
    return {
        "turn": turn.number,
        "outcome": turn.outcome,
        "entry": reply.entry,
        "language": reply.language,
        "answer": reply.text,
        "html": rendering.to_html(reply.text, reply.language),
        "spoken": reply.spoken,
        "portions": list(portions(reply.spoken, reply.language)),
        "choices": [
            {"number": number, "label": choice.label} for number, choice in enumerate(reply.choices, 1)
        ],
        "media": [
            {"path": media_address(media.path), "description": media.description} for media in reply.media
        ],
        "ms": round(turn.milliseconds, 3),
    }


def history_fields(turn: KeptTurn, vote: bool | None) -> dict[str, Any]:
    """One turn as a page shows it again."""
    asked = {"question": turn.question, "at": turn.at.isoformat(timespec="seconds"), "helpful": vote}
    return turn_fields(turn) | asked


def conversation_fields(kept: Kept) -> dict[str, Any]:
    return {"conversation": kept.id, "chosen_language": kept.conversation.chosen_language}


def outcome_of(after: Conversation, reply: Reply, match: Match | None = None) -> Outcome:
    """What the customer got: an answer, a question back, or neither.

    Of what was meant it differs where a choice was taken ("the second one" means nothing by itself), or where
    the customer was asked to choose first. `match` is None where nothing was asked.
    """
    if isinstance(match, Several) and reply.entry:
        return outcome(match)
    if reply.entry:
        return "found"
    if after.waiting or isinstance(match, Found | Several):
        return "unsure"
    return outcome(match) if match else "unsure" if reply.choices else "unknown"


def media_address(path: str) -> str:
    """Where the server has a file of the media folder: "media/map.svg" -> "/media/map.svg"."""
    return "/media/" + quote(path.removeprefix("media/"))
