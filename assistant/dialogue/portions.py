"""A long spoken answer in pieces: sentences for the mouth, portions for the listener."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.values import primary_language

# What a listener bears and keeps in mind at a stretch; a sentence too long is parted at a comma.
_LONGEST_SECONDS = 20.0
# Nobody wants to be asked "shall I go on?" for one more short sentence.
_SHORTEST_SECONDS = 6.0
# Of the usual voice at 165 words a minute: within a tenth of what 18 answers in three languages took.
_SECONDS_A_LETTER = 1 / 16.5
_SECONDS_A_SYLLABLE = 0.18  # of a script that writes one sign for each
_SECONDS_A_DIGIT = 0.35

_ENDS = re.compile(r"[.!?…]+[\"'”’»“)\]]*\s+|[。！？]+[\"'”’」』）)]*\s*")
_CLAUSES = re.compile(r"(?<=[,;:–—])\s+|(?<=[、，；：])")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DIGIT = re.compile(r"\d")
# After these a full stop ends no sentence: one letter ("z. B.", "J. Smith"), a short word that ends none,
# and, where a dot makes an ordinal, "24. Dezember". A spoken form has few of them left.
_ABBREVIATION = re.compile(
    r"(?:^|[\s.(])(?:[^\W\d_]|nr|ca|bzw|dr|prof|st|mr|mrs|ms|vs|inkl|zzgl|evtl|ggf|vgl|approx|incl|e\.g|i\.e)\.$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?<![\d.,:])\d{1,2}\.$")
_NO_ORDINAL_DOT = ("en", "es", "fr", "it", "pt", "nl", "ko", "ja", "zh")


def sentences(spoken: str, language: str = "") -> tuple[str, ...]:
    """The sentences of a spoken form, in order; joined by a space they are the text again.

    Empty for an empty text. Abbreviations and ordinals end none of them.
    """
    has_ordinal_dot = primary_language(language) not in _NO_ORDINAL_DOT
    return tuple(filter(None, _parted(" ".join(spoken.split()), has_ordinal_dot)))


def _parted(text: str, has_ordinal_dot: bool) -> Iterator[str]:
    start = 0
    for end in _ENDS.finditer(text):
        sentence = text[start : end.end()].strip()
        if _ABBREVIATION.search(sentence) or (has_ordinal_dot and _ORDINAL.search(sentence)):
            continue
        yield sentence
        start = end.end()
    yield text[start:].strip()


def portions(spoken: str, language: str) -> tuple[str, ...]:
    """The text in portions of about 20 seconds, of even length and cut at sentence ends.

    One portion for a text a little longer, none for an empty one.
    """
    pieces = [piece for sentence in sentences(spoken, language) for piece in _bearable(sentence)]
    seconds = sum(map(seconds_to_say, pieces))
    if seconds <= _LONGEST_SECONDS + _SHORTEST_SECONDS:
        return (" ".join(pieces),) if pieces else ()
    count = -(-seconds // _LONGEST_SECONDS)
    return tuple(_filled(pieces, seconds / count))


def seconds_to_say(text: str) -> float:
    """About how long a voice takes for the text, in any language."""
    syllables, digits = len(_SYLLABLE.findall(text)), len(_DIGIT.findall(text))
    letters = len(text) - syllables - digits
    return letters * _SECONDS_A_LETTER + syllables * _SECONDS_A_SYLLABLE + digits * _SECONDS_A_DIGIT


def _bearable(sentence: str) -> Iterator[str]:
    """The sentence, or its clauses where nobody could listen to it in one go."""
    if seconds_to_say(sentence) <= _LONGEST_SECONDS:
        yield sentence
    else:
        yield from filter(None, (part.strip() for part in _CLAUSES.split(sentence)))


def _filled(pieces: list[str], target_seconds: float) -> Iterator[str]:
    """The pieces joined into portions, each as near to the target as whole pieces allow."""
    portion, left = [pieces[0]], sum(map(seconds_to_say, pieces[1:]))
    for piece in pieces[1:]:
        said, more = seconds_to_say(" ".join(portion)), seconds_to_say(piece)
        is_full = said + more / 2 > target_seconds
        if is_full and min(said, left) >= _SHORTEST_SECONDS:
            yield " ".join(portion)
            portion = []
        portion.append(piece)
        left -= more
    yield " ".join(portion)
