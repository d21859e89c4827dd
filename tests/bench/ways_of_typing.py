"""What people's fingers make of a question: each way takes a question and gives what would be typed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from assistant.matching.content import function_words
from assistant.matching.text import as_heard, fold

Way = Callable[[str, random.Random], str]

_SHORTEST_WORD = 3  # letters; of a shorter word a slip leaves nothing to know it by
_LONG_WORD = 8  # letters; shorter ones are not torn apart
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_UMLAUTS = "äöüÄÖÜß"
_DOTS_LOST = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U", "ß": "s"})
_AS_PAIRS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)  # fmt: skip
# Written down from what people send, not from the table that reads it: some of it is unknown there.
_SHORTENED = {
    "en": """
        you:u are:r please:pls your:ur to:2 for:4 thanks:thx because:cuz tomorrow:2moro
        tonight:2nite before:b4 what:wat with:w/ without:w/o about:abt and:& between:btwn
        message:msg number:nr account:acc information:info going:goin want:wanna something:sth
        people:ppl today:2day why:y though:tho through:thru know:kno how:hw question:q
        reservation:resv address:addr phone:fone weeks:wks minutes:mins hours:hrs okay:k
    """,
    "de": """
        und:u nicht:nich ist:is eine:ne einen:nen einem:nem habe:hab vielleicht:vllt bitte:bidde
        wegen:wg oder:od beziehungsweise:bzw eventuell:evtl zum:zm auch:au etwas:was ihr:ia
        euch:eich ich:i nummer:nr telefon:tel informationen:infos mit:m für:f von:v kein:kn
        keine:kne möchte:möcht können:könn danke:thx gibt:gibts wie:wi was:wat viel:vl
        funktioniert:funzt
    """,
}


def as_written(text: str, _: random.Random) -> str:
    return text


def slips(count: int) -> Way:
    """So many slips, in any words."""

    def slip_often(text: str, shuffle: random.Random) -> str:
        for _ in range(count):
            text = _in_one_word(text, _SHORTEST_WORD, shuffle, _slip)
        return text

    return slip_often


def _in_one_word(
    text: str, shortest: int, shuffle: random.Random, change: Callable[[str, random.Random], str]
) -> str:
    words = text.split()
    long = [place for place, word in enumerate(words) if len(word) >= shortest]
    if not long:
        return text
    place = shuffle.choice(long)
    words[place] = change(words[place], shuffle)
    return " ".join(words)


def _slip(word: str, shuffle: random.Random) -> str:
    """A letter left out, two swapped (the first two as well), one doubled, or the next key hit."""
    at = shuffle.randrange(len(word) - 1)
    inside = max(at, 1)
    return shuffle.choice(
        [
            word[:inside] + word[inside + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:inside] + word[inside] + word[inside:],
            word[:inside] + _neighbour(word[inside], shuffle) + word[inside + 1 :],
        ]
    )


def _neighbour(letter: str, shuffle: random.Random) -> str:
    for row in _KEYS:
        if (at := row.find(letter.lower())) >= 0:
            return shuffle.choice(row[max(at - 1, 0) : at] + row[at + 1 : at + 2])
    return shuffle.choice("etaoinsr")


def umlauts_without_dots(text: str, _: random.Random) -> str:
    return text.translate(_DOTS_LOST)


def umlauts_as_pairs(text: str, _: random.Random) -> str:
    return text.translate(_AS_PAIRS)


def no_spaces(text: str, _: random.Random) -> str:
    return "".join(as_heard(text).split())


def one_space_missing(text: str, shuffle: random.Random) -> str:
    words = text.split()
    if len(words) < 2:
        return text
    at = shuffle.randrange(1, len(words))
    return " ".join(words[:at]) + " ".join(words[at:])


def one_space_too_many(text: str, shuffle: random.Random) -> str:
    def torn(word: str, shuffle: random.Random) -> str:
        at = shuffle.randrange(3, len(word) - 3)
        return f"{word[:at]} {word[at:]}"

    return _in_one_word(text, _LONG_WORD, shuffle, torn)


def all_capitals(text: str, _: random.Random) -> str:
    return text.replace("ß", "SS").upper() + "!!!"


def small_letters(text: str, _: random.Random) -> str:
    return as_heard(text)


def shorthand(language: str) -> Way:
    """Every word that has a short form is written in it."""
    table = dict(pair.split(":", 1) for pair in _SHORTENED[language].split())

    def shorten(text: str, _: random.Random) -> str:
        return re.sub(r"[\w'’]+", lambda found: table.get(found[0].lower(), found[0]), text)

    return shorten


def only_keywords(text: str, _: random.Random) -> str:
    """Without the words that say nothing of what is asked."""
    kept = [word for word in as_heard(text).split() if fold(word) not in function_words()]
    return " ".join(kept) or text


def ways(language: str) -> Mapping[str, Way]:
    """Name of a way of typing -> what it does to a question; only ways that change something."""
    everywhere: dict[str, Way] = {
        "as written": as_written,
        **{f"{count} slip{'s' if count > 1 else ''}": slips(count) for count in (1, 2, 3)},
        "no spaces": no_spaces,
        "a space missing": one_space_missing,
        "a space too many": one_space_too_many,
        "ALL CAPITALS": all_capitals,
        "small letters": small_letters,
        "shorthand": shorthand(language),
        "keywords only": only_keywords,
    }
    german: dict[str, Way] = {"umlauts as a, o, u": umlauts_without_dots, "as ae, oe, ue": umlauts_as_pairs}
    return MappingProxyType({**everywhere, **(german if language == "de" else {})})
