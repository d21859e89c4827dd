"""Questions of the pages that fit what is being typed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from assistant.matching.lexical import nearest_word
from assistant.matching.text import fold, letters, words
from assistant.values import Knowledge

_LONGEST = 120  # characters; whoever has typed more needs no suggestion
# Letters of a word in which one slip of the fingers, or two, is looked for: shorter ones are too much alike.
_ONE_SLIP = 4
_TWO_SLIPS = 8


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question as it stands on a page, and as it is looked up."""

    text: str
    entry: str
    padded: str  # folded, with a space before each word
    joined: str  # its letters without spaces


@dataclass(frozen=True, slots=True)
class _Asking:
    """All that is asked in one language."""

    questions: tuple[_Asked, ...] = ()
    vocabulary: tuple[str, ...] = ()  # sorted

    @classmethod
    def of(cls, questions: Iterable[_Asked]) -> _Asking:
        kept = tuple(sorted(questions, key=lambda one: len(one.text)))
        return cls(kept, tuple(sorted({word for one in kept for word in words(one.padded)})))


class Suggesting:
    """The questions of one state of the knowledge; may be used by several threads."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._in_language = {tag: _Asking.of(_questions(knowledge, tag)) for tag in knowledge.languages}

    def suggest(self, typed: str, language: str, count: int) -> tuple[str, ...]:
        """The best first, one of each entry; none for an empty text or a language without pages."""
        folded = fold(typed[: _LONGEST + 1])
        if not folded or len(typed) > _LONGEST:
            return ()
        asking = self._in_language.get(language, _Asking())
        return tuple(islice(_one_an_entry(_fitting(folded, asking)), count))


def _questions(knowledge: Knowledge, language: str) -> Iterator[_Asked]:
    """But not what is said to the assistant itself: nobody wants "Goodbye" suggested."""
    for page in knowledge.pages:
        if page.language == language and not page.is_own_voice:
            for entry in page.entries:
                for asked in entry.questions:
                    folded = fold(asked.text)
                    yield _Asked(asked.text, entry.name, f" {folded}", _joined(folded))


def _fitting(folded: str, asking: _Asking) -> Iterator[_Asked]:
    """Those that begin so, then those that have all the words, then those that have them without slips."""
    joined = _joined(folded)
    yield from (one for one in asking.questions if one.joined.startswith(joined))
    typed = words(folded)
    yield from _having(typed, asking)
    mended = [_mended(word, asking.vocabulary) for word in typed]
    if mended != typed:
        yield from _having(mended, asking)


def _having(typed: list[str], asking: _Asking) -> Iterator[_Asked]:
    """The questions in which each of the words begins a word."""
    begun = [f" {word}" for word in typed]
    return (one for one in asking.questions if all(word in one.padded for word in begun))


def _mended(word: str, vocabulary: tuple[str, ...]) -> str:
    """The word of the questions that slips of the fingers have made it of; itself where it begins one."""
    place = bisect_left(vocabulary, word)
    begins_one = place < len(vocabulary) and vocabulary[place].startswith(word)
    if begins_one or len(word) < _ONE_SLIP:
        return word
    return nearest_word(word, vocabulary, 2 if len(word) >= _TWO_SLIPS else 1) or word


def _joined(folded: str) -> str:
    """In Korean letter by letter: a syllable that is being typed is not whole yet."""
    return letters(folded).replace(" ", "")


def _one_an_entry(asked: Iterable[_Asked]) -> Iterator[str]:
    seen: set[str] = set()
    for one in asked:
        if one.entry not in seen:
            seen.add(one.entry)
            yield one.text
