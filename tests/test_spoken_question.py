"""The whole line of speech with nothing feigned: a voice asks, a recognizer hears, the pages answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import wiring
from assistant.answering import Assistant
from assistant.settings import Settings, load_settings
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.wav_audio import WavMicrophone, write_wav
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Conversation, Found, Heard, Utterance

REPOSITORY = Path(__file__).parents[1]
KNOWLEDGE = REPOSITORY / "knowledge"

ENGLISH = {
    "How do I delete my account?": "delete-account",
    "How do I get off your mailing list?": "newsletter",
    "Do you take back old appliances?": "old-device-recycling",
    "Are there things that can't go back?": "return-exclusions",
    "Can I bring my dog?": "dogs",
}
# Words that the synthesizer speaks clearly enough for the small Korean model; each is a question of the base.
KOREAN = {
    "배송": "delivery-time",
    "취소": "order-cancel",
    "비밀번호": "forgot-password",
    "상담원": "person-please",
    "주소": "address",
    "보증": "warranty-length",
    "영수증": "invoice-copy",
    "이메일": "change-email",
}


@pytest.fixture(scope="module")
def base_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(KNOWLEDGE, environment={"ASSISTANT_CACHE": str(tmp_path_factory.mktemp("cache"))})


@pytest.fixture(scope="module")
def assistant(base_settings: Settings) -> Assistant:
    return wiring.build_assistant(base_settings)


def spoken(text: str, language: str, folder: Path) -> Path:
    """The text as a WAV file, spoken by the voice that comes with the product."""
    voice = Pyttsx3Synthesizer()
    path = folder / "question.wav"
    assert write_wav(path, voice.speak(text, language), voice.rate_hz) > 0.2
    return path


def entry_for(assistant: Assistant, heard: Heard) -> str | None:
    """The entry that answers what was heard; what was typed takes the same way."""
    utterance = Utterance(heard.text, heard.language, heard.also_heard, is_heard=True)
    _, turn = assistant.answer(Conversation(), utterance)
    return turn.reply.entry if isinstance(turn.match, Found) else None


def test_english_questions_are_heard_and_answered(
    assistant: Assistant, base_settings: Settings, tmp_path: Path
) -> None:
    recognizer = wiring.open_recognizer(base_settings, "en", assistant.knowledge)
    answered = {
        text: entry_for(assistant, hear(WavMicrophone(spoken(text, "en", tmp_path)), recognizer))
        for text in ENGLISH
    }
    recognizer.close()
    assert answered == ENGLISH


def test_korean_key_words_are_heard_and_answered(
    assistant: Assistant, base_settings: Settings, tmp_path: Path
) -> None:
    model = find_vosk_model("ko", base_settings.model_folders)
    assert model, "the test extra brings the Korean model"
    recognizer = VoskRecognizer(model, "ko", grammar=list(KOREAN), cache_folder=base_settings.cache_folder)
    answered = {
        word: entry_for(assistant, hear(WavMicrophone(spoken(word, "ko", tmp_path)), recognizer))
        for word in KOREAN
    }
    recognizer.close()
    assert answered == KOREAN


def test_a_spoken_question_is_answered_on_the_screen_and_as_a_wav(tmp_path: Path) -> None:
    question, answer = spoken("How do I delete my account?", "en", tmp_path), tmp_path / "answer.wav"
    command = [sys.executable, "-m", "assistant", "ask", "--audio", str(question), "--language", "en"]
    result = subprocess.run(
        [*command, "--speak", str(answer), "--json", "--knowledge", str(KNOWLEDGE)],
        capture_output=True, text=True, encoding="utf-8", cwd=REPOSITORY,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["entry"] == "delete-account"
    assert told["language"] == "en"
    assert set(told["heard"]) == {"text", "also_heard"}
    assert "delete my" in told["heard"]["text"]
    assert WavMicrophone(answer).rate_hz == 16_000
    assert sum(len(block) for block in WavMicrophone(answer)) / 32_000 > 2
