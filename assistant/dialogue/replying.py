"""What is answered: (Conversation, Utterance, Match) -> (Conversation, Reply), remembering nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from assistant.dialogue.choosing import (
    Taking,
    names_no_choice,
    taken_by_own_words,
    taken_by_part,
    taken_by_yes,
    taken_loosely,
    taken_surely,
)
from assistant.dialogue.own_voice import Sentence, choices_of, own_sentence, said
from assistant.dialogue.spoken_form import spoken_form
from assistant.dialogue.together import Piece, together
from assistant.dialogue.tongue import known_language, language_of_reply
from assistant.dialogue.wanted_language import language_wanted
from assistant.matching.text import cut
from assistant.values import (
    Choice,
    Conversation,
    Entry,
    Found,
    Knowledge,
    Match,
    Part,
    Reply,
    Several,
    Unsure,
    Utterance,
)

PERSON = "person-please"  # the entry that leads to a person, where a base has it
REPEAT = "repeat"
START_OVER = "start-over"
# While an `Ask` waits, another entry must be this probable to be a change of mind, and nearly
# certain when the words also fit one of the choices: "I bought it online" is an answer.
_LEAVE_ABOVE = 0.7
_LEAVE_CHOICE_ABOVE = 0.9


@dataclass(frozen=True, slots=True)
class _Scene:
    """What one reply is made from."""

    knowledge: Knowledge
    conversation: Conversation
    language: str  # to answer in
    today: date


def reply(
    knowledge: Knowledge, conversation: Conversation, utterance: Utterance, match: Match, today: date
) -> tuple[Conversation, Reply]:
    """Answer one utterance and say what must be remembered for the next one."""
    taken = choice_taken(conversation, utterance, match)
    language = language_of_reply(knowledge, conversation, utterance, match, took_choice=taken is not None)
    scene = _Scene(knowledge, conversation, language, today)
    if taken:
        return _act(scene, taken.entry)
    wanted = None if _is_answered(knowledge, match) else language_wanted(utterance.text)
    if wanted:
        return _switch(scene, wanted)
    return _told(scene, match.ranking.language, _answer_match(scene, utterance, match))


def _answer_match(scene: _Scene, utterance: Utterance, match: Match) -> tuple[Conversation, Reply]:
    knowledge, conversation = scene.knowledge, scene.conversation
    if isinstance(match, Found | Several) and not _is_held(conversation, match):
        return _answer_several(scene, match) if isinstance(match, Several) else _act(scene, match.best.entry)
    if conversation.waiting or names_no_choice(conversation.choices, utterance.text):
        return _choose_one(scene)
    if isinstance(match, Unsure) and (offered := _worth_offering(knowledge, match)):
        return _did_you_mean(scene, match, offered)
    return _say(scene, _with_a_way_on(scene, own_sentence(knowledge, "not-understood", scene.language)))


def repeat(knowledge: Knowledge, conversation: Conversation, today: date) -> tuple[Conversation, Reply]:
    """The last reply again, in the language the customer has chosen since."""
    language = language_of_reply(knowledge, conversation, Utterance(""), None, took_choice=True)
    return _repeat(_Scene(knowledge, conversation, language, today))


def open_entry(
    knowledge: Knowledge, conversation: Conversation, name: str, today: date
) -> tuple[Conversation, Reply]:
    """The answer of an entry that needs no question; the built-in sentence where the base has none."""
    language = language_of_reply(knowledge, conversation, Utterance(""), None, took_choice=True)
    scene = _Scene(knowledge, conversation, language, today)
    sentence = own_sentence(knowledge, name, language)
    does_something = name in (REPEAT, START_OVER)
    if does_something or knowledge.translations(name) or not sentence.text:
        return _act(scene, name)
    return _say(scene, sentence, name)


def choice_taken(conversation: Conversation, utterance: Utterance, match: Match) -> Choice | None:
    """The choice on offer that the customer takes, by number, by words, or by meaning the same entry."""
    choices = conversation.choices
    readings = [cut(text)[0] for text in (utterance.text, *utterance.also_heard)] if choices else []
    for take in _ways_to_take(conversation, match):
        for reading in readings:
            if choice := take(choices, reading):
                return choice
    return _meant(conversation, match)


def _ways_to_take(conversation: Conversation, match: Match) -> Iterator[Taking]:
    """From the surest to the faintest; the faint ones only where nothing else is likely to be meant."""
    likely = match.best.probability if isinstance(match, Found | Several) else 0.0
    yield taken_surely
    if conversation.last_reply and conversation.last_reply.entry is None:  # "is it one of these?"
        yield taken_by_yes  # but an "okay" to an answer takes none of its suggestions
    if not conversation.waiting:
        yield from () if isinstance(match, Found | Several) else (taken_loosely, taken_by_part)
        return
    if likely < _LEAVE_CHOICE_ABOVE:
        yield taken_loosely
    if likely < _LEAVE_ABOVE:
        yield from (taken_by_part, taken_by_own_words)


def _meant(conversation: Conversation, match: Match) -> Choice | None:
    """While an `Ask` waits, a choice whose own entry the matcher thinks of first."""
    if not conversation.waiting or not isinstance(match, Found | Unsure):
        return None
    first = match.ranking.candidates[0].entry
    return next((choice for choice in conversation.choices if choice.entry == first), None)


def _is_held(conversation: Conversation, match: Found | Several) -> bool:
    """Whether a waiting `Ask` outweighs what was found."""
    behaves = match.best.entry in (REPEAT, START_OVER)
    return conversation.waiting and not behaves and match.best.probability < _LEAVE_ABOVE


def _act(scene: _Scene, name: str) -> tuple[Conversation, Reply]:
    """Answer from the entry, or do what an entry of the assistant's own stands for."""
    if name == REPEAT:
        return _repeat(scene)
    if name == START_OVER:
        fresh = replace(scene, conversation=Conversation())
        return _say(fresh, own_sentence(scene.knowledge, START_OVER, scene.language), START_OVER)
    entry = scene.knowledge.entry(name, scene.language)
    if entry is None:  # an arrow that leads nowhere; `assistant check` reports it
        return _say(scene, own_sentence(scene.knowledge, "not-understood", scene.language))
    if entry.valid_until and entry.valid_until < scene.today:
        outdated = own_sentence(scene.knowledge, "outdated", scene.language)
        return _say(scene, _with_a_way_on(scene, outdated), name)
    return _answer(scene, entry)


def _answer(scene: _Scene, entry: Entry) -> tuple[Conversation, Reply]:
    ask = entry.ask
    preface = ""
    if entry.language != scene.language:
        preface = own_sentence(scene.knowledge, "fallback-language", scene.language).text
    given = Reply(
        text="\n\n".join(filter(None, (preface, entry.answer, ask.text if ask else ""))),
        # Without the preface: a voice speaks one language, and the answer's is the one to understand.
        spoken=" ".join(filter(None, (said(entry), spoken_form(ask.text, entry.language) if ask else ""))),
        language=entry.language,
        entry=entry.name,
        choices=choices_of(entry),
        media=entry.media,
    )
    return _remember(scene, given, waiting=ask is not None)


def _answer_several(scene: _Scene, match: Several) -> tuple[Conversation, Reply]:
    return _together(scene, [_piece_of(scene, part) for part in match.parts])


def _piece_of(scene: _Scene, part: Part) -> Piece:
    """What is found is told by its entry's own question, what is not in the customer's words."""
    if isinstance(part.match, Found):
        return _piece(scene, part.match.best.entry)
    if isinstance(part.match, Unsure) and (offered := _worth_offering(scene.knowledge, part.match)):
        return Piece(part.text, _did_you_mean(scene, part.match, offered)[1], asks_back=True, waits=False)
    sentence = own_sentence(scene.knowledge, "not-understood", scene.language)
    return Piece(part.text, _say(scene, sentence)[1], asks_back=False, waits=False)


def _piece(scene: _Scene, name: str) -> Piece:
    after, given = _act(scene, name)
    return Piece(_title(scene, name), given, asks_back=after.waiting, waits=after.waiting)


def _together(scene: _Scene, pieces: list[Piece]) -> tuple[Conversation, Reply]:
    return _remember(scene, together(pieces), waiting=any(piece.waits for piece in pieces))


def _repeat(scene: _Scene) -> tuple[Conversation, Reply]:
    last = scene.conversation.last_reply
    if last is None:
        return _say(scene, own_sentence(scene.knowledge, "nothing-to-repeat", scene.language))
    if last.entry and last.language != scene.language and last.entry != START_OVER:
        names = (last.entry, *last.also)
        return (
            _together(scene, [_piece(scene, name) for name in names]) if last.also else _act(scene, names[0])
        )
    return scene.conversation, last


def _is_answered(knowledge: Knowledge, match: Match) -> bool:
    """Whether an editor's own entry answers this surely: "Do you speak English?"."""
    is_found = isinstance(match, Found) and match.best.probability >= _LEAVE_CHOICE_ABOVE
    return is_found and match.ranking.candidates[0].entry not in knowledge.own_names


def _switch(scene: _Scene, wanted: str) -> tuple[Conversation, Reply]:
    """The last reply in the language that is asked for, and so from now on."""
    known = known_language(scene.knowledge, wanted)
    if known is None:
        greeting = own_sentence(scene.knowledge, "greeting", scene.language)
        last = scene.conversation.last_reply
        return _told(scene, wanted, (scene.conversation, last) if last else _say(scene, greeting))
    new = replace(scene, conversation=scene.conversation.with_language(known), language=known)
    last = new.conversation.last_reply
    if last and (last.entry or last.language == known):
        return _repeat(new)
    if last and last.choices:
        return _offer_again(new, last.choices)
    return _say(new, own_sentence(new.knowledge, "greeting", known))


def _offer_again(scene: _Scene, choices: tuple[Choice, ...]) -> tuple[Conversation, Reply]:
    """The choices on offer, with the labels of another language."""
    translated = tuple(
        Choice(_title(scene, choice.entry) or choice.label, choice.entry) for choice in choices
    )
    return _say(
        scene, _with_labels(own_sentence(scene.knowledge, "did-you-mean", scene.language), translated)
    )


def _told(scene: _Scene, asked: str | None, made: tuple[Conversation, Reply]) -> tuple[Conversation, Reply]:
    """The reply, after a sentence that says its language where the customer's has no pages."""
    after, given = made
    sentence = own_sentence(scene.knowledge, "only-language", given.language)
    if not asked or known_language(scene.knowledge, asked) or sentence.language != given.language:
        return made
    if given.text.startswith(sentence.text):
        return made  # it is repeated
    told = replace(
        given, text=f"{sentence.text}\n\n{given.text}", spoken=f"{sentence.spoken} {given.spoken}".strip()
    )
    return replace(after, last_reply=told), told


def _choose_one(scene: _Scene) -> tuple[Conversation, Reply]:
    choices = scene.conversation.choices
    sentence = own_sentence(scene.knowledge, "choose-one", scene.language)
    return _say(scene, _with_labels(sentence, choices), waiting=scene.conversation.waiting)


def _worth_offering(knowledge: Knowledge, match: Unsure) -> tuple[str, ...]:
    """Nobody who said "yes" wants to choose between "Hello" and "Thank you"."""
    return tuple(name for name in match.entries if name not in knowledge.own_names)


def _did_you_mean(scene: _Scene, match: Unsure, offered: tuple[str, ...]) -> tuple[Conversation, Reply]:
    choices = tuple(_offer(scene, name, match) for name in offered)
    sentence = own_sentence(scene.knowledge, "did-you-mean", scene.language)
    return _say(scene, _with_labels(sentence, choices))


def _offer(scene: _Scene, name: str, match: Unsure) -> Choice:
    """A choice labelled by the entry's first question."""
    phrases = (candidate.phrase for candidate in match.ranking.candidates if candidate.entry == name)
    return Choice(_title(scene, name) or next(phrases, "") or name.replace("-", " "), name)


def _with_a_way_on(scene: _Scene, sentence: Sentence) -> Sentence:
    """Nobody is left standing: the choices that the editor wrote, else a person where the base has one."""
    label = _title(scene, PERSON)
    return replace(sentence, choices=sentence.choices or ((Choice(label, PERSON),) if label else ()))


def _title(scene: _Scene, name: str) -> str:
    entry = scene.knowledge.entry(name, scene.language)
    return entry.questions[0].text if entry and entry.questions else ""


def _with_labels(sentence: Sentence, choices: tuple[Choice, ...]) -> Sentence:
    """A voice must name the choices that the screen shows."""
    labels = (spoken_form(choice.label, sentence.language) for choice in choices)
    return replace(sentence, spoken=" ".join((sentence.spoken, *labels)), choices=choices)


def _say(
    scene: _Scene, sentence: Sentence, name: str | None = None, waiting: bool = False
) -> tuple[Conversation, Reply]:
    given = Reply(sentence.text, sentence.spoken, sentence.language, name, sentence.choices)
    return _remember(scene, given, waiting)


def _remember(scene: _Scene, given: Reply, waiting: bool) -> tuple[Conversation, Reply]:
    # The language that was wanted, not the one an untranslated answer had to be given in.
    after = replace(
        scene.conversation,
        language=scene.language,
        choices=given.choices,
        waiting=waiting and bool(given.choices),
        last_reply=given,
    )
    return after, given
