"""Short answers that take a choice: a number or a yes, from a small table for each language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from assistant.matching.text import fold

LAST = -1  # "the last one"
_LONGEST = 60  # characters; whoever says more says more than a number


@dataclass(frozen=True, slots=True)
class _Words:
    """How a language counts and agrees: the n-th row names n, `before` and `after` may stand around it."""

    rows: tuple[str, ...]  # ways to say 1, 2, 3 ..., a comma between them
    ending: str  # what follows a digit: 2nd
    last: str
    before: str
    after: str
    yes: str
    no: str


# To teach the assistant another language, add it here.
_LANGUAGES = {
    "en": _Words(
        rows=(
            "one, first",
            "two, second",
            "three, third",
            "four, fourth",
            "five, fifth",
            "six, sixth",
            "seven, seventh",
            "eight, eighth",
            "nine, ninth",
        ),
        ending="st, nd, rd, th",
        last="last",
        before="number, no, option, choice, answer, the, i, i want, id like, ill take, i mean, please, yes",
        after="one, option, choice, please, thanks",
        yes="yes, yeah, yep, yes please, thats it, thats right, correct, exactly, sure, ok, okay",
        no="no, no thanks, no thank you, nope, nah, not really, rather not, please dont",
    ),
    "de": _Words(
        rows=(
            "eins, erste, erster, erstes, ersten, erstens",
            "zwei, zwo, zweite, zweiter, zweites, zweiten, zweitens",
            "drei, dritte, dritter, drittes, dritten, drittens",
            "vier, vierte, vierter, viertes, vierten, viertens",
            "fünf, fünfte, fünfter, fünftes, fünften, fünftens",
            "sechs, sechste, sechster, sechstes, sechsten, sechstens",
            "sieben, siebte, siebter, siebtes, siebten, siebtens",
            "acht, achte, achter, achtes, achten, achtens",
            "neun, neunte, neunter, neuntes, neunten, neuntens",
        ),
        ending="te, ter, tes, ten",
        last="letzte, letzter, letztes, letzten",
        before="nummer, nr, die, der, das, den, dem, ich, nehme, ich möchte, ich meine, bitte, ja, also",
        after="bitte, option, möglichkeit, antwort, danke",
        yes="ja, ja bitte, ja gern, ja gerne, gern, gerne, genau, ja genau, richtig, stimmt, das stimmt, "
        "klar, ja klar, na klar, okay, ja okay, jawohl, jo, joa, jep, jap, passt, ja passt",
        no="nein, nein danke, nö, nö danke, nee, nee danke, ne, lieber nicht, bitte nicht, nein bitte nicht",
    ),
    "ko": _Words(
        rows=(
            "하나, 일, 첫째, 첫 번째, 첫번째, 일 번, 일번",
            "둘, 이, 둘째, 두 번째, 두번째, 이 번, 이번",
            "셋, 삼, 셋째, 세 번째, 세번째, 삼 번, 삼번",
            "넷, 사, 넷째, 네 번째, 네번째, 사 번, 사번",
            "다섯, 오, 다섯째, 다섯 번째, 다섯번째, 오 번, 오번",
            "여섯, 육, 여섯째, 여섯 번째, 여섯번째, 육 번, 육번",
            "일곱, 칠, 일곱째, 일곱 번째, 일곱번째, 칠 번, 칠번",
            "여덟, 팔, 여덟째, 여덟 번째, 여덟번째, 팔 번, 팔번",
            "아홉, 구, 아홉째, 아홉 번째, 아홉번째, 구 번, 구번",
        ),
        ending="번, 번째",
        last="마지막",
        before="네, 음, 저, 저는",
        after="거, 것, 걸로, 할게요, 거요, 것으로, 요, 주세요, 부탁합니다, 이요",
        yes="네, 예, 네 맞아요, 맞아요, 맞습니다, 그래요, 응, 좋아요, 네 부탁합니다",
        no="아니, 아니요, 아니오, 아뇨, 아니에요, 괜찮아요, 됐어요",
    ),
}


def number_said(text: str) -> int | None:
    """The number that the text says and nothing else: 2 for "2", "the second one", "die zweite", "두 번째".

    `LAST` for "the last one", None where the text says no number or more than a number.
    """
    said = fold(text)
    if len(said) > _LONGEST:
        return None
    for numbers, pattern in _patterns():
        if spoken := pattern.fullmatch(said):
            return int(spoken["digits"]) if spoken["digits"] else numbers[spoken["words"]]
    return None


def says_yes(text: str) -> bool:
    """Whether the text is a plain yes in any language of the table."""
    return fold(text) in _yes()


def says_no(text: str) -> bool:
    """Whether the text is a plain no in any language of the table."""
    return fold(text) in _no()


@cache
def _no() -> frozenset[str]:
    return frozenset(way for words in _LANGUAGES.values() for way in _split(words.no))


@cache
def _yes() -> frozenset[str]:
    return frozenset(way for words in _LANGUAGES.values() for way in _split(words.yes))


@cache
def _patterns() -> tuple[tuple[dict[str, int], re.Pattern[str]], ...]:
    return tuple((_numbers(words), _pattern(words)) for words in _LANGUAGES.values())


def _pattern(words: _Words) -> re.Pattern[str]:
    digits = f"(?P<digits>[0-9]{{1,2}}) ?{_either(_split(words.ending))}?"
    number = f"(?:{digits}|(?P<words>{_either(_numbers(words))}))"
    return re.compile(f"(?:{_either(_split(words.before))} )*{number}(?: {_either(_split(words.after))})*")


def _numbers(words: _Words) -> dict[str, int]:
    numbers = {way: count for count, row in enumerate(words.rows, 1) for way in _split(row)}
    return numbers | dict.fromkeys(_split(words.last), LAST)


def _either(phrases: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(phrases, key=len, reverse=True)))})"


def _split(row: str) -> list[str]:
    return [fold(phrase) for phrase in row.split(",")]
