"""Speech through faster-whisper, with a model that its owner gives: nothing is ever fetched."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from assistant.errors import DeviceError, ModelError, UnheardLanguageError
from assistant.ports import Microphone
from assistant.speech.child_program import finish, start_child
from assistant.speech.hearing.readings import MOST_READINGS, Reading, final, join
from assistant.speech.models.trials import try_once
from assistant.speech.sound.resampling import at_rate, check_rate, even, to_samples
from assistant.speech.sound.speech_gate import gated
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard

_RATE_HZ = 16_000  # of all its models
_TRIAL = "assistant.speech.hearing.whisper_recognizer"
# A large model (3 GB) loads in half a minute from a slow disk.
TRIAL_SECONDS = 180
# Without one of these the library looks for them on the internet, or has no model.
NEEDED = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_WINDOW_SECONDS = 30  # the model reads stretches of this length, whatever is said
# A quarter of a window: whoever says more in one breath than these tokens is not speaking.
_MOST_TOKENS = 112
# What the model itself takes for silence this surely is none of its words: it invents sentences there.
_SILENCE = 0.6
_HINT = "name the folder of a Whisper model converted for CTranslate2"

_models: WeakValueDictionary[str, Any] = WeakValueDictionary()
_models_lock = threading.Lock()


class WhisperRecognizer:
    """Hears one language with a multilingual or English Whisper model; final readings only.

    The folder is tried in a process of its own first, and its model shared by all recognizers of
    this process. Readings of the beam beside the best stand in `also_heard`.

    Raises ModelError for a folder that cannot be used, UnheardLanguageError for a language that its
    model does not hear, AudioError for a rate that speech cannot have, DeviceError where it is asked
    to listen twice at once or after `close()`.
    """

    def __init__(self, model_folder: Path, language: str, cache_folder: Path | None = None) -> None:
        validate_whisper_model(model_folder, cache_folder)
        self._language = language
        self._model: Any = _shared_model(model_folder)
        self._tokenizer: Any = _tokenizer(self._model, language.partition("-")[0].lower())
        self._activity = VoiceActivity(_RATE_HZ)
        self._listening = threading.Lock()
        self._closed = False

    @property
    def language(self) -> str:
        return self._language

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        """One final reading; empty text where nobody spoke."""
        if not self._listening.acquire(blocking=False):
            raise DeviceError(
                "this recognizer is listening already", "open one recognizer for each conversation"
            )
        try:
            if self._closed:
                raise DeviceError("this recognizer was closed", "open a new one")
            yield from self._listen(microphone)
        finally:
            self._listening.release()
            if self._closed:
                self._model = self._tokenizer = None

    def close(self) -> None:
        """Hear nothing more and give the memory back; what is being heard ends without a final reading."""
        self._closed = True
        if self._listening.acquire(blocking=False):
            self._model = self._tokenizer = None
            self._listening.release()

    def _listen(self, microphone: Microphone) -> Iterator[Heard]:
        heard = at_rate(even(microphone), check_rate(microphone.rate_hz), _RATE_HZ)
        stretches: list[list[Reading]] = []
        sound = bytearray()
        for block in gated(heard, microphone, _RATE_HZ, self._activity):
            if self._closed:
                return
            sound += block
            while len(sound) > _WINDOW_SECONDS * _RATE_HZ * 2:
                stretches.append(self._read(bytes(sound[: _WINDOW_SECONDS * _RATE_HZ * 2])))
                del sound[: _WINDOW_SECONDS * _RATE_HZ * 2]
        if sound:
            stretches.append(self._read(bytes(sound)))
        if not self._closed:
            yield final(join(stretches), self._language)

    def _read(self, sound: bytes) -> list[Reading]:
        """The readings of at most 30 seconds, best first; none where the model hears no speech."""
        features = _features(self._model, sound)
        prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        result = self._model.model.generate(
            self._model.encode(features),
            [prompt],
            beam_size=MOST_READINGS,
            num_hypotheses=MOST_READINGS,
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(prompt) + _MOST_TOKENS,
        )[0]
        if result.no_speech_prob > _SILENCE:
            return []
        best = max(result.scores)
        texts = [self._tokenizer.decode(tokens).strip() for tokens in result.sequences_ids]
        return [Reading(text, best - score) for text, score in zip(texts, result.scores, strict=True)]


def validate_whisper_model(
    folder: Path, cache_folder: Path | None = None, seconds: float = TRIAL_SECONDS
) -> None:
    """Raise ModelError unless the folder holds all that is needed, loads, and reads a second of silence.

    Tried in a process of its own, which a damaged model may end; once: what passed is remembered in
    the cache folder until a file of the model changes.
    """
    import importlib.util

    if importlib.util.find_spec("faster_whisper") is None:
        raise ModelError("faster-whisper is not installed", "pip install 'offline-assistant[whisper]'")
    _check_files(folder)
    try_once("faster-whisper", folder, cache_folder, lambda: _try(folder, seconds))


def _try(folder: Path, seconds: float) -> None:
    try:
        ending = finish(start_child(_TRIAL, str(folder.resolve())), b"", seconds)
    except (OSError, ValueError) as error:
        raise ModelError(f"the speech model {folder} cannot be tried out: {error}", _HINT) from None
    if ending.exit_code != 0:
        how = "it crashes when it is loaded" if (ending.exit_code or 0) < 0 else ending.complaint
        raise ModelError(f"the speech model {folder} cannot be used: {how}", f"fetch it again, or {_HINT}")


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"there is no folder {folder}", _HINT)
    names = [*NEEDED, next((name for name in _VOCABULARIES if (folder / name).exists()), _VOCABULARIES[0])]
    for name in names:
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder} is no speech model for Whisper: {name} is missing", _HINT)
        if not path.stat().st_size:
            raise ModelError(f"the speech model {folder} is damaged: {name} is empty", "fetch it again")
    for path in (folder / name for name in names if name.endswith(".json")):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ModelError(
                f"the speech model {folder} is damaged: {path.name} is not JSON", "fetch it again"
            ) from None


def _shared_model(folder: Path) -> Any:
    path = str(folder.resolve())
    with _models_lock:
        model = _models.get(path)
        if model is None:
            model = _models[path] = _load(folder)
    return model


def _load(folder: Path) -> Any:
    """The model; from a path, which the library never takes for a name to look for online."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # whatever it lacks, it must not ask for
    try:
        import faster_whisper

        return faster_whisper.WhisperModel(
            str(folder.resolve()), device="cpu", compute_type="int8", local_files_only=True
        )
    except Exception as error:  # the library has no failures of its own
        raise ModelError(f"the speech model {folder} cannot be loaded: {error}", "fetch it again") from None


def _tokenizer(model: Any, language: str) -> Any:
    from faster_whisper.tokenizer import Tokenizer

    if language not in model.supported_languages:
        raise UnheardLanguageError(
            f"this Whisper model does not hear `{language}`", "give the folder of a multilingual model"
        )
    multilingual = model.model.is_multilingual
    return Tokenizer(model.hf_tokenizer, multilingual, "transcribe", language)


def _features(model: Any, sound: bytes) -> Any:
    """What the model reads: always a whole window, the rest of it silence."""
    import numpy as np

    samples = to_samples(sound)
    whole = np.zeros(_WINDOW_SECONDS * _RATE_HZ, np.float32)
    whole[: len(samples)] = samples
    return model.feature_extractor(whole)[:, : model.feature_extractor.nb_max_frames]


def try_out(folder: str) -> None:
    """Load a model and read a second of silence; run in a process of its own, which may die of it."""
    model = _load(Path(folder))
    language = model.supported_languages[0]
    tokenizer = _tokenizer(model, language)
    model.model.generate(
        model.encode(_features(model, bytes(2 * _RATE_HZ))),
        [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
        beam_size=1,
        max_length=8,
    )


if __name__ == "__main__":
    try_out(sys.argv[1])
