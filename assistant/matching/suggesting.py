"""Questions of the pages that begin like what is being typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from assistant.matching.lexical import word_likeness
from assistant.matching.text import fold, letters, words
from assistant.values import Knowledge

_LONGEST = 120  # characters; whoever has typed more needs no suggestion
_SHORTEST_LIKE = 4  # letters, before slips of the fingers are forgiven: "wi" is like everything
# Of words as a set and sorted, on average: "wann hapt ihr auf" has 0.78 to "Wann habt ihr geöffnet?",
# questions that share only "wann" and "ihr" less than 0.6.
_LIKE = 0.62


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question as it stands on a page, and as it is looked up."""

    text: str
    entry: str
    folded: str

    @property
    def padded(self) -> str:
        return f" {self.folded}"


class Suggesting:
    """The questions of one state of the knowledge; may be used by several threads."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._asked: dict[str, tuple[_Asked, ...]] = {
            language: tuple(_questions(knowledge, language)) for language in knowledge.languages
        }

    def suggest(self, typed: str, language: str, count: int) -> tuple[str, ...]:
        """The best first, one of each entry; none for an empty text or a language without pages."""
        folded = fold(typed[: _LONGEST + 1])
        if not folded or len(typed) > _LONGEST:
            return ()
        asked = self._asked.get(language, ())
        return tuple(islice(_one_an_entry(_fitting(folded, asked)), count))


def _questions(knowledge: Knowledge, language: str) -> Iterator[_Asked]:
    """But not what is said to the assistant itself: nobody wants "Goodbye" suggested."""
    for page in knowledge.pages:
        if page.language == language and not page.is_own_voice:
            for entry in page.entries:
                yield from (_Asked(asked.text, entry.name, fold(asked.text)) for asked in entry.questions)


def _fitting(folded: str, asked: tuple[_Asked, ...]) -> Iterator[_Asked]:
    """Those that begin so, then those that have all the words, then those that are alike."""
    yield from sorted((one for one in asked if _begins(one, folded)), key=lambda one: len(one.text))
    begun = [f" {word}" for word in words(folded)]
    having = (one for one in asked if all(word in one.padded for word in begun))
    yield from sorted(having, key=lambda one: len(one.text))
    if len(letters(folded)) >= _SHORTEST_LIKE and asked:
        likeness = word_likeness(folded, [one.folded for one in asked]).mean(axis=0)
        best = sorted(range(len(asked)), key=lambda place: -likeness[place])
        yield from (asked[place] for place in best if likeness[place] >= _LIKE)


def _begins(one: _Asked, folded: str) -> bool:
    """Without spaces, and in Korean letter by letter: a syllable that is being typed is not whole yet."""
    return letters(one.folded).replace(" ", "").startswith(letters(folded).replace(" ", ""))


def _one_an_entry(asked: Iterable[_Asked]) -> Iterator[str]:
    seen: set[str] = set()
    for one in asked:
        if one.entry not in seen:
            seen.add(one.entry)
            yield one.text
