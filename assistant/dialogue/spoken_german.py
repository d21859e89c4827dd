"""Dates, times, "1" and ordinals in German, where the voice would say them wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_shorthand import weekday_rules
from assistant.dialogue.spoken_table import DASH, Rule, Tongue, either

_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_BARE_DATE = rf"{_DAY}\. ?{_MONTH}\.(?: ?(?:19|20)\d\d|\d\d(?![\d.]))?(?!\d)"
_DATE = rf"(?<![\d.,:/-]){_BARE_DATE}"
_ISO_DATE = re.compile(r"(?<![\d.-])((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\d-])")
_MONTH_OF_YEAR = re.compile(rf"(?<![\d./-])({_MONTH})/((?:19|20)\d\d)(?![\d/-])")
_TO_CLOCK = r"\d{1,2}(?::[0-5]\d| Uhr)"
_UP_TO_NINETEEN = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn"
)
_TENS = "- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
_IRREGULAR = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
# After these an ordinal ends in -en, whatever its noun; after the others in -e.
_WEAK = (
    "am im vom zum beim zur dem den des jeden jedem einem einer eines ihrem ihren unserem unseren diesem"
    " diesen"
)
_PREPOSITIONS = "ab bis seit vor nach mit von in zu bei aus um für zwischen"
_DATIVE = "ab seit vor nach mit von in zu bei aus innerhalb zwischen"
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[ ,]*$")


def _first_rules() -> Iterator[Rule]:
    """Words that end in an abbreviation, and the sections of laws, before anything looks at their numbers."""
    yield re.compile(r"\b([A-ZÄÖÜ][a-zäöüß]+)str\.(?! ?[a-z])"), r"\1straße"
    yield re.compile(r"(?<=[a-zäöüß])nr\.?(?=:? ?\d)"), "nummer"
    yield re.compile(r"(?<=§ )(\d{1,4})([a-z])\b"), lambda found: f"{found[1]} {found[2].upper()}"


def date_rules(tongue: Tongue) -> Iterator[Rule]:
    """Days and months in full; the days of a month stay ordinals with a dot for `last_rules`."""
    yield from _first_rules()
    on_day = rf"\b([Aa]m|[Vv]om|jeden|außer|ab|bis) ({either(tongue.days)})\b\.?"
    yield re.compile(on_day), lambda found: f"{found[1]} {tongue.days[found[2]]}" + tongue.full_stop(found)
    yield from weekday_rules(tongue)
    months, shorts = tongue.listed("months"), tongue.listed("months_short")
    any_month, short = f"(?:{either(months + shorts)})", either(shorts)
    yield _ISO_DATE, lambda found: f"{int(found[3])}. {months[int(found[2]) - 1]} {found[1]}"
    yield _MONTH_OF_YEAR, lambda found: f"{months[int(found[1]) - 1]} {found[2]}"
    yield re.compile(rf"({_DATE}) ?{DASH} ?(?={_BARE_DATE})"), r"\1 bis "
    to_day = rf"(?={_DAY}\. ?(?:{_MONTH}\.|{any_month}))"
    yield re.compile(rf"(?<![\d.,:])({_DAY}\.) ?(?:{DASH}|/) ?{to_day}"), r"\1 bis "
    yield re.compile(_DATE), partial(_date, tongue)
    day_and_short = rf"(?<!\d)({_DAY}\.) ?({short})\b\.?(?! ?\d{{1,2}}:)"
    yield (
        re.compile(day_and_short),
        lambda found: f"{found[1]} {_month(tongue, found[2])}" + tongue.full_stop(found),
    )
    to_month = rf"\b({any_month})\.? ?{DASH} ?({any_month})\b\.?"
    yield re.compile(to_month), lambda found: f"{_month(tongue, found[1])} bis {_month(tongue, found[2])}"


def _month(tongue: Tongue, name: str) -> str:
    shorts = tongue.listed("months_short")
    return tongue.listed("months")[shorts.index(name)] if name in shorts else name


def _date(tongue: Tongue, found: re.Match[str]) -> str:
    before = found.string[: found.start()].split()
    if before and before[-1] in tongue.listed("not_a_date_after"):
        return found[0]
    day, month, year = (part.strip() for part in found[0].split("."))
    name = tongue.listed("months")[int(month) - 1]
    full_year = f"20{year}" if len(year) == 2 else year
    rest = found.string[found.end() :]
    ends = not year and (not rest.strip("\"'”’»“)] ") or tongue.stop.match(rest))
    return f"{int(day)}. {name} {full_year}".rstrip() + ("." if ends else "")


def clock_rules(tongue: Tongue) -> Iterator[Rule]:
    """ "17:15 Uhr" and "9.30–17.00 Uhr" become "17 Uhr 15" and "9 Uhr 30 bis 17 Uhr"."""
    start, minutes = r"(?<![\d.,:])", r"[0-5]\d(?![\d.])"
    to = rf"(?: ?{DASH} ?| (?:bis|und|oder) )"
    dotted = rf"{start}(\d{{1,2}})\.([0-5]\d)"
    yield re.compile(rf"{dotted}(?={to}(?:\d{{1,2}}\.{minutes}|{_TO_CLOCK})| Uhr)"), r"\1:\2"
    yield re.compile(rf"(?<=:\d\d)({to})(\d{{1,2}})\.({minutes})"), r"\1\2:\3"
    yield re.compile(rf"{start}(\d{{1,2}}(?::[0-5]\d)?)(?: Uhr)? ?{DASH} ?(?={_TO_CLOCK})"), r"\1 bis "
    clock = r"(?<![\d.,:/])([01]?\d|2[0-4]):([0-5]\d)(?::00)?(?: ?Uhr\b| ?h\b)?(?!\d|:\d|[.,]\d)"
    goes_on = rf"(?P<goes_on>(?= (?:bis|und|oder) {_TO_CLOCK}))?"
    yield re.compile(clock + goes_on), partial(_clock, tongue)
    yield re.compile(r"(?<![\w.,:])1 (?=Uhr\b)"), "ein "


def _clock(tongue: Tongue, found: re.Match[str]) -> str:
    before = found.string[: found.start()].split()
    if before and before[-1] in tongue.listed("not_a_time_after"):
        return f"{int(found[1])} zu {int(found[2])}"
    hour, minute = int(found[1]), int(found[2])
    if not minute:
        return str(hour) if found["goes_on"] is not None else f"{hour} Uhr"
    return f"{hour} Uhr {minute}"


def last_rules(tongue: Tongue) -> Iterator[Rule]:
    """Ordinals and "1" before a noun, declined; years."""
    months, nouns = either(tongue.listed("months")), either(tongue.genders)
    chain = r"\d{1,3}\.(?:(?: (?:bis(?: zum)?|und|oder|u\.) |, )\d{1,2}\.)*"
    noun = rf"(?=(?P<noun>{nouns}|{months})(?:e?[sn]|en|e)?\b)"
    yield re.compile(rf"(?<![\d.,:]){chain} ?{noun}"), partial(_ordinals, tongue)
    yield re.compile(rf"(?<![\w.,:/-])1 (?=(?P<noun>{nouns})\b)"), partial(_one, tongue)
    since = rf"\b(?:seit|Jahr|Jahre|Jahres|Jahren|Sommer|Winter|von|ab|{months}) "
    yield re.compile(rf"({since})(1[1-9])(\d\d)\b(?! [A-ZÄÖÜ]\w+en\b)"), _old_year
    yield re.compile(r"(?<![\d:])(\d{1,3}):(\d)(?![\d:])"), r"\1 zu \2"
    yield re.compile(r"(?<=\d)%(?=ig)"), "prozent"
    # "Kund:innen", "Mitarbeiter/-innen": a breath and no more.
    yield re.compile(r"(?<=[a-zäöüß])(?::|\*|_|/-?)(?=in(?:nen)?\b)"), " "


def _ordinals(tongue: Tongue, found: re.Match[str]) -> str:
    gender = tongue.genders.get(found["noun"], "m")  # the months are
    ending = _ending(found, gender, is_date=found["noun"] in tongue.listed("months"))
    worded = re.sub(r"(\d+)\.", lambda number: _ordinal(int(number[1])) + ending, found[0])
    return worded.rstrip() + " "


def _ending(found: re.Match[str], gender: str, is_date: bool) -> str:
    """The ending of an ordinal by the word before it: "am dritten", "der dritte", "dritter"."""
    before = re.sub(r"\b\w+tag,? ?$", "", found.string[: found.start()])
    word = _WORD_BEFORE.search(before)
    last = word[1].lower() if word and before.endswith((" ", ", ")) else ""
    if last in _WEAK.split() or (last == "der" and gender == "f"):
        return "en"
    if last in (
        "der",
        "die",
        "das",
        "ins",
        "ans",
        "jede",
        "jeder",
        "jedes",
        "ihre",
        "unsere",
        "diese",
        "dieser",
    ):
        return "e"
    if last in _PREPOSITIONS.split():
        return "en" if is_date else {"f": "er"}.get(gender, "em")
    return {"m": "er", "f": "e", "n": "es"}[gender]


def _ordinal(number: int) -> str:
    """The stem: "erst", "vierundzwanzigst"; of a number over 99 the digits."""
    if number in _IRREGULAR:
        return _IRREGULAR[number]
    if number < 20:
        return f"{_UP_TO_NINETEEN.split()[number]}t"
    if number > 99:
        return f"{number}st"
    ones = f"{_UP_TO_NINETEEN.split()[number % 10]}und" if number % 10 else ""
    return f"{ones}{_TENS.split()[number // 10]}st"


def _one(tongue: Tongue, found: re.Match[str]) -> str:
    gender = tongue.genders[found["noun"]]
    word = _WORD_BEFORE.search(found.string[: found.start()])
    last = word[1].lower() if word else ""
    if last in _DATIVE.split():
        return "einer " if gender == "f" else "einem "
    if gender == "m":
        return "einen " if last else "ein "
    return "eine " if gender == "f" else "ein "


def _old_year(found: re.Match[str]) -> str:
    rest = int(found[3])
    return f"{found[1]}{found[2]} hundert" + (f" {rest}" if rest else "")
