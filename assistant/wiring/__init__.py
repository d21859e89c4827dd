"""Settings -> a ready assistant; the only room that chooses adapters."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import DeviceError, ModelError, SettingsError, UnheardLanguageError
from assistant.settings import Settings
from assistant.values import primary_language

if TYPE_CHECKING:
    from assistant.answering import Assistant, Matching
    from assistant.knowledge.library import Library
    from assistant.ports import Encoder, Recognizer, Speaker, Synthesizer
    from assistant.speech.hearing.stop_words import ReadStretch
    from assistant.values import Entry, Knowledge

APPLICATION = "offline-assistant"  # the name of its folders in the user's home


def build_assistant(settings: Settings, *, hears: bool = False) -> Assistant:
    """The assistant of a knowledge folder, ready for the first spoken question if it `hears`; raises
    KnowledgeError with the problems of pages with errors, ModelError where an encoder that was asked for is
    missing."""
    from assistant.answering import Assistant

    # The encoder takes a second: it loads while the pages are read. The collector would look through
    # its 128,000 words again and again for garbage that is not there.
    gc.disable()
    threading.Thread(target=_load_encoder, args=[settings], daemon=True).start()
    try:
        library = open_library(settings)
        library.load()
        return Assistant(library, matcher_maker(settings, hears=hears))
    finally:
        gc.freeze()
        gc.enable()


def open_library(settings: Settings) -> Library:
    from assistant.knowledge.library import Library

    return Library(settings.knowledge_folder, settings.default_language)


def matcher_maker(settings: Settings, *, hears: bool = False) -> Callable[[Knowledge], Matching]:
    """Makes matchers that share one encoder; without the fast one they work on with the rest and note it.

    Raises ModelError where the accurate encoder was asked for and is missing: who asked for it wants to know.
    """
    from assistant.matching.matcher import Matcher, MatcherOptions

    encoder = _encoder(settings)
    options = MatcherOptions(settings.thresholds, cache_folder(settings), hears)
    return lambda knowledge: Matcher(knowledge, encoder, options)


_one_encoder = threading.Lock()
_encoders: dict[str, Encoder | None] = {}  # by name


def _encoder(settings: Settings) -> Encoder | None:
    """The sentence encoder: it takes 100 MB, so one serves the whole process."""
    with _one_encoder:
        if settings.encoder not in _encoders:
            _encoders[settings.encoder] = ENCODERS[settings.encoder](cache_folder(settings))
        return _encoders[settings.encoder]


def _load_encoder(settings: Settings) -> None:
    """Ahead of need; what is wrong with it is told to whoever needs it."""
    with contextlib.suppress(ModelError):
        _encoder(settings)


def _open_fast_encoder(kept_in: Path) -> Encoder | None:
    from assistant.matching.cache import Cache
    from assistant.matching.semantic import open_encoder

    try:
        return open_encoder(Cache(kept_in))
    except ModelError:
        return None  # the matcher's notes say so


def _open_accurate_encoder(kept_in: Path) -> Encoder:
    from assistant.matching.cache import Cache
    from assistant.matching.side_by_side import open_accurate_encoder

    return open_accurate_encoder(Cache(kept_in))


ENCODERS: Mapping[str, Callable[[Path], Encoder | None]] = {
    "fast": _open_fast_encoder,
    "accurate": _open_accurate_encoder,
}


def cache_folder(settings: Settings) -> Path:
    import platformdirs

    return settings.cache_folder or platformdirs.user_cache_path(APPLICATION)


def state_folder() -> Path:
    """Where the history of typed lines is kept."""
    import platformdirs

    return platformdirs.user_state_path(APPLICATION)


# --- ears and mouths ------------------------------------------------------------------------


def open_recognizer(settings: Settings, language: str, knowledge: Knowledge) -> Recognizer:
    """Whisper where its model is given, Vosk where one is found, PocketSphinx for English otherwise.

    Raises ModelError with the way out for a language that nothing here can hear.
    """
    for open_one in RECOGNIZERS.values():
        if recognizer := open_one(settings, language, knowledge):
            return recognizer
    raise unheard(settings, language)


def unheard(settings: Settings, language: str) -> ModelError:
    """The one message for a language that nothing here can hear; a Whisper model that does not is named."""
    from assistant.speech.models.vosk_models import no_model

    missing = no_model(language, settings.model_folders)
    model = whisper_model(settings)
    if model is None:
        return missing
    fact = f"{missing.fact}, and the Whisper model in {model} hears other languages"
    return ModelError(fact, f"give the folder of a multilingual Whisper model, or: {missing.hint}")


def can_hear(settings: Settings, language: str) -> bool:
    """Whether a recognizer for the language is here, sound or not."""
    from assistant.speech.hearing.whisper_models import may_hear
    from assistant.speech.models.vosk_models import find_vosk_model

    model = whisper_model(settings)
    return (
        primary_language(language) == "en"
        or find_vosk_model(language, settings.model_folders) is not None
        or (model is not None and may_hear(model, language))
    )


def whisper_model(settings: Settings) -> Path | None:
    """The folder of the Whisper model in the settings, if one is."""
    given = settings.listening.whisper_model
    return settings.knowledge_folder / given if given else None


def _open_whisper(settings: Settings, language: str, knowledge: Knowledge) -> Recognizer | None:
    model = whisper_model(settings)
    if model is None:
        return None
    from assistant.speech.hearing.whisper_recognizer import WhisperRecognizer

    with contextlib.suppress(UnheardLanguageError):
        return WhisperRecognizer(model, language, cache_folder(settings), questions(knowledge, language))
    return None


def _open_vosk(settings: Settings, language: str, knowledge: Knowledge) -> Recognizer | None:
    from assistant.speech.models.vosk_models import find_vosk_model

    model = find_vosk_model(language, settings.model_folders)
    if model is None:
        return None
    from assistant.speech.hearing.vosk_recognizer import VoskRecognizer

    # A grammar beside the free decode, taken where both agree, was no way: by letters or by scores, of 200
    # spoken Korean words 35 in 100 were kept and 33 in 100 others forced into one, or 5 kept and 3 forced.
    grammar = _grammar(model, language, knowledge) if settings.listening.only_questions else None
    return VoskRecognizer(model, language, grammar, cache_folder(settings))


def _grammar(model: Path, language: str, knowledge: Knowledge) -> list[str]:
    """The questions, and what stops the assistant: who says that must be obeyed."""
    from assistant.dialogue.commands import stop_words
    from assistant.speech.models.vosk_models import takes_grammar

    if not takes_grammar(model):
        raise ModelError(
            f"the speech model {model} cannot be told to hear questions only",
            "install a small model, or take `only_questions` out of the settings",
        )
    return [*questions(knowledge, language), *stop_words(language)]


def _open_pocketsphinx(settings: Settings, language: str, knowledge: Knowledge) -> Recognizer | None:
    if primary_language(language) != "en":
        return None
    from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer

    return PocketSphinxRecognizer(questions(knowledge, language), language, cache_folder(settings))


def questions(knowledge: Knowledge, language: str) -> list[str]:
    """All that customers are expected to ask in a language, whatever its region."""
    return [phrase.text for entry in _entries(knowledge, language) for phrase in entry.questions]


def spoken(knowledge: Knowledge, language: str) -> list[str]:
    """All that a voice may say in a language, whatever its region."""
    from assistant.dialogue.own_voice import said

    return [said(entry) for entry in _entries(knowledge, language)]


def _entries(knowledge: Knowledge, language: str) -> Iterator[Entry]:
    base = primary_language(language)
    return (entry for entry in knowledge.entries if primary_language(entry.language) == base)


def open_stop_words(
    settings: Settings, language: str, words: Sequence[str], others: Sequence[str]
) -> ReadStretch | None:
    """What tells the words that stop the assistant from others; None for a language without a recognizer."""
    from assistant.speech.models.vosk_models import find_vosk_model

    if model := find_vosk_model(language, settings.model_folders):
        from assistant.speech.hearing.vosk_recognizer import VoskStopWordReader

        return VoskStopWordReader(model, words, others, cache_folder(settings))
    if primary_language(language) == "en":
        from assistant.speech.hearing.pocketsphinx_recognizer import StopWordReader

        return StopWordReader(words, others, cache_folder(settings))
    model = whisper_model(settings)
    if model is None:
        return None
    from assistant.speech.hearing.whisper_stop_words import WhisperStopWordReader

    return WhisperStopWordReader(model, language, words, cache_folder(settings))


def _open_pyttsx3(settings: Settings) -> Synthesizer:
    from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer

    return Pyttsx3Synthesizer(settings.speaking.words_a_minute)


def _open_piper(settings: Settings) -> Synthesizer:
    from assistant.speech.speaking.piper_synthesizer import PiperSynthesizer

    return PiperSynthesizer(settings.model_folders, cache_folder(settings), settings.speaking.words_a_minute)


# The first that opens is taken.
RECOGNIZERS: Mapping[str, Callable[[Settings, str, Knowledge], Recognizer | None]] = {
    "whisper": _open_whisper,
    "vosk": _open_vosk,
    "pocketsphinx": _open_pocketsphinx,
}
SYNTHESIZERS: Mapping[str, Callable[[Settings], Synthesizer]] = {
    "piper": _open_piper,
    "pyttsx3": _open_pyttsx3,
}


def voice_openers(settings: Settings) -> list[tuple[str, Callable[[], Synthesizer]]]:
    """The voices that the settings name, best first; raises SettingsError for a name that is not known."""
    for name in settings.speaking.voices:
        if name not in SYNTHESIZERS:
            raise SettingsError(
                f"there is no voice called `{name}`", f"known voices: {', '.join(SYNTHESIZERS)}"
            )
    return [(name, partial(SYNTHESIZERS[name], settings)) for name in settings.speaking.voices]


def open_synthesizer(settings: Settings, language: str) -> Synthesizer:
    """The first of the voices in the settings that speaks the language; raises what the last one raised."""
    *better, last = (open_one for _, open_one in voice_openers(settings))
    for open_one in better:
        with contextlib.suppress(DeviceError):
            synthesizer = open_one()
            synthesizer.speak("1", language)  # looks for the voice, and makes no sound yet
            return synthesizer
    return last()


def open_speaker() -> Speaker:
    """The loudspeaker of this machine; raises DeviceError where there is none."""
    from assistant.speech.sound.sounddevice_speaker import SounddeviceSpeaker

    return SounddeviceSpeaker()


def open_voice(settings: Settings) -> Callable[[str, str], None]:
    """A function that says plain words of a language aloud; raises DeviceError where nobody would hear it."""
    speaker = open_speaker()
    opened: dict[str, Synthesizer] = {}

    def speak(text: str, language: str) -> None:
        if language not in opened:
            opened[language] = open_synthesizer(settings, language)
        speaker.play(opened[language].speak(text, language), opened[language].rate_hz)

    return speak
