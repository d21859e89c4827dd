"""What a Whisper model reads in a stretch of sound: in a window as short as may be, inventions left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.speech.hearing.nearest_phrases import likeness, nearest_phrases
from assistant.speech.hearing.readings import MOST_READINGS, Reading
from assistant.speech.hearing.whisper_models import tokenizer
from assistant.speech.sound.resampling import to_samples

RATE_HZ = 16_000  # of all its models
WINDOW_SECONDS = 30  # the model learned from stretches of this length, and reads no longer ones
_FRAMES_A_SECOND = 100
# A whole window costs 1.1 s, whatever is said in it. In one of ten seconds the same words cost a third, and
# about one word in a hundred more is wrong; below eight the model begins to repeat itself.
_SHORTEST_WINDOW_SECONDS = 10.0
_SILENCE_SECONDS = 2.0  # what was said must be seen to be over
_MOST_TOKENS = 112  # a quarter of what the model can write
# People came to 7.5 tokens a second. Whoever is said to have said more has not.
_TOKENS_A_SECOND, _TOKENS_MORE = 16, 8
# Of tokens that say the same again at once: from the first on it is read again, from the second on it is
# believed in no window. "No, no, no, no" has six.
_DOUBTFUL_REPETITION, _SENSELESS_REPETITION = 4, 8
# In noise the model invents sentences. It takes it for silence itself, though, or its words for improbable
# (the mean natural logarithm over the tokens). Of 78 readings of noises that did not choose these numbers,
# both leave 8, the first alone 30. Of 36 human clips one was lost, which it had misheard.
_SILENCE = 0.6
_LEAST_SCORE = -1.4
_WITH_CARE = {"beam_size": MOST_READINGS, "num_hypotheses": MOST_READINGS}
# Without other readings, and with a penalty for saying the same again, a shorter window will do.
_AT_A_GLANCE = {"beam_size": 1, "repetition_penalty": 1.1}
_SHORTEST_GLANCE_SECONDS = 6.0
# Shown six of the pages' phrases, the model hears them where it misheard them before, and paraphrases better
# too. What it makes of other speech then has little in common with what it heard without them: of 80 other
# sentences in a robot's voice five were answered if that was believed, and one above this likeness.
_PHRASES = 6
_LEAST_LIKENESS = 0.3


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of sound was read as."""

    readings: Sequence[Reading] = ()  # best first; none where the model hears no speech
    language_probability: float = 1.0  # that it is in the language it was read in, as the model hears it


class WhisperReader:
    """Reads sound of one language with a model that others may read with at the same time.

    Sound is 16-bit mono PCM at RATE_HZ, at most WINDOW_SECONDS of it. Raises UnheardLanguageError
    for a language that the model does not hear. With phrases, those that look most like what was read
    are shown to the model as if they had been said before, and it reads once more.
    """

    def __init__(self, model: Any, language: str, phrases: Sequence[str] = ()) -> None:
        self._model = model  # the shared one lives as long as somebody holds it
        self._phrases = nearest_phrases(tuple(phrases))
        self._tokenizer = tokenizer(model, language)
        self._prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]

    def read(self, sound: bytes) -> Stretch:
        """All that it may be.

        A reading that repeats itself is read again as the model learned to, in a whole window.
        """
        encoded, result = self._generate(sound, _SHORTEST_WINDOW_SECONDS)
        if repetition(result.sequences_ids[0]) >= _DOUBTFUL_REPETITION:
            encoded, result = self._generate(sound, WINDOW_SECONDS)
        readings = self._readings(result)
        if not readings:
            return Stretch()
        readings = self._with_phrases(readings, encoded, len(sound)) or readings
        return Stretch(readings, self._language_probability(encoded))

    def _with_phrases(self, readings: Sequence[Reading], encoded: Any, size: int) -> list[Reading]:
        """What it is where it may be about what the phrases say; nothing where it is about something else."""
        near = self._phrases.nearest([reading.text for reading in readings], _PHRASES)
        if not near:
            return []
        shown = self._tokenizer.encode(" " + " ".join(reversed(near)))[-_MOST_TOKENS:]
        prompt = [self._tokenizer.sot_prev, *shown, *self._prompt]
        found = self._readings(self._begin(encoded, prompt, size, **_WITH_CARE).result())
        is_like = found and likeness(found[0].text, readings[0].text) >= _LEAST_LIKENESS
        return found if is_like else []

    def glance(self, sound: bytes) -> Glance | None:
        """A first look at what is being said, begun beside whoever asks for it; None while anybody reads.

        Who has finished never waits for those who are still speaking.
        """
        if self._model.model.num_active_batches:
            return None
        encoded = self._model.model.encode(self._features(sound, _SHORTEST_GLANCE_SECONDS))
        probability = self._language_probability(encoded)
        begun = self._begin(encoded, self._prompt, len(sound), **_AT_A_GLANCE)
        return Glance(begun, lambda result: Stretch(self._readings(result), probability))

    def _generate(self, sound: bytes, window_seconds: float) -> tuple[Any, Any]:
        """What the model made of the sound, to be read again, and its readings."""
        encoded = self._model.model.encode(self._features(sound, window_seconds))
        return encoded, self._begin(encoded, self._prompt, len(sound), **_WITH_CARE).result()

    def _language_probability(self, encoded: Any) -> float:
        """Asked in the wrong language, the model translates as well as it can, and that makes sense, too."""
        if not self._model.model.is_multilingual:
            return 1.0
        (found,) = self._model.model.detect_language(encoded)
        own = f"<|{self._tokenizer.language_code}|>"
        return next((float(probability) for language, probability in found if language == own), 0.0)

    def _begin(self, features: Any, prompt: Sequence[int], size: int, **how: float) -> Any:
        most = min(_MOST_TOKENS, _TOKENS_MORE + round(_TOKENS_A_SECOND * size / 2 / RATE_HZ))
        return self._model.model.generate(
            features,
            [prompt],
            asynchronous=True,
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(prompt) + most,
            **how,
        )[0]

    def _features(self, sound: bytes, window_seconds: float) -> Any:
        """What the model reads: the sound, and silence to the end of a window of so many seconds or more."""
        import ctranslate2
        import numpy as np

        seconds = max(window_seconds, len(sound) / 2 / RATE_HZ + _SILENCE_SECONDS)
        frames = round(min(WINDOW_SECONDS, seconds) * _FRAMES_A_SECOND)
        samples = np.zeros(frames * RATE_HZ // _FRAMES_A_SECOND, np.float32)
        heard = to_samples(sound)[: len(samples)]
        samples[: len(heard)] = heard
        features = self._model.feature_extractor(samples, padding=0)[np.newaxis, :, :frames]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(features))

    def _readings(self, result: Any) -> list[Reading]:
        best = result.scores[0]
        if result.no_speech_prob > _SILENCE or best < _LEAST_SCORE:
            return []
        if repetition(result.sequences_ids[0]) >= _SENSELESS_REPETITION:
            return []
        return [
            Reading(self._tokenizer.decode(tokens).strip(), best - score)
            for tokens, score in zip(result.sequences_ids, result.scores, strict=True)
        ]


class Glance:
    """What is being read, beside whoever waits for it."""

    def __init__(self, begun: Any, made_of: Callable[[Any], Stretch]) -> None:
        self._begun = begun
        self._made_of = made_of

    @property
    def is_done(self) -> bool:
        return bool(self._begun.done())

    def stretch(self) -> Stretch:
        """At most one reading; waits until it is done."""
        return self._made_of(self._begun.result())


def repetition(tokens: Sequence[int]) -> int:
    """How many tokens in a row only say again what went right before them: 3 in "da da da da", 0 in "da"."""
    most = 0
    for length in range(1, len(tokens) // 2 + 1):
        same = 0
        for at in range(length, len(tokens)):
            same = same + 1 if tokens[at] == tokens[at - length] else 0
            if same >= length:
                most = max(most, same)
    return most
