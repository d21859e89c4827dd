"""A customer asks for a language: "auf Deutsch bitte", "say it in German", "영어로 말해 주세요"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from assistant.matching.text import fold, words

# What languages are called in several languages. To teach the assistant another name, add it here.
_NAMES = {
    "ar": "arabic arabisch arabe arabo 아랍어 عربي العربية",
    "de": "german deutsch allemand aleman tedesco duits niemiecki almanca 독일어 немецкий немецки",
    "en": "english englisch anglais ingles inglese engels angielski ingilizce 영어 английский английски",
    "es": "spanish spanisch espanol espagnol spagnolo spaans hiszpanski ispanyolca 스페인어",
    "fr": "french franzoesisch francais frances francese frans francuski fransizca 프랑스어",
    "it": "italian italienisch italiano italien italiaans wloski italyanca 이탈리아어",
    "ja": "japanese japanisch japonais 日本語 일본어",
    "ko": "korean koreanisch coreen coreano 한국어 한국말 우리말",
    "nl": "dutch niederlaendisch hollaendisch nederlands neerlandais olandese 네덜란드어",
    "pl": "polish polnisch polski polonais polacco 폴란드어",
    "pt": "portuguese portugiesisch portugues portugais portoghese 포르투갈어",
    "ru": "russian russisch russe russo ruso 러시아어 русский русски",
    "tr": "turkish tuerkisch turkce turc turco 터키어",
    "uk": "ukrainian ukrainisch украинский українською 우크라이나어",
    "zh": "chinese chinesisch mandarin chinois cinese chino 中文 중국어",
}
# What may stand around the name; another word makes it another request.
_AROUND = """
a again also and answer can continue could d do go how i id in instead is it lets like me now of on
please possible prefer
repeat same say speak switch talk tell thanks that the this to want what about would you
antwort antworte antworten auch auf aufs bitte danke das die du einmal es geht gern haette ich im in
jetzt kann kannst koennen
koennten koenntest lieber mal mir moechte noch nochmal nochmals red reden sag sagen sage sie
sprechen sprich und uns weiter
wiederhol wiederhole wiederholen wechseln zu
en sil vous plait por favor per favore po prosze по пожалуйста
다시 말해 말해줘 말해주세요 주세요 해 해줘 해주세요 대답해 대답해주세요 부탁해요 부탁합니다 로 으로 좀
"""
_KOREAN_ENDING = re.compile(r"(어|말)로$")


def language_wanted(text: str) -> str | None:
    """The language that is asked for, where the text asks for one and says nothing else."""
    said = [_KOREAN_ENDING.sub(r"\1", word) for word in words(fold(text[:200]))]
    named = {_tags()[word] for word in said if word in _tags()}
    if len(named) != 1 or any(word not in _around() and word not in _tags() for word in said):
        return None
    return named.pop()


@cache
def _tags() -> Mapping[str, str]:
    return {fold(name): tag for tag, names in _NAMES.items() for name in names.split()}


@cache
def _around() -> frozenset[str]:
    return frozenset(words(fold(_AROUND)))
