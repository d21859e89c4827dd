"""The moves a kiosk is made of: each changes what it is and says what it does, in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from assistant.channels.kiosk.values import (
    Act,
    Adjust,
    Answer,
    AttendStop,
    EarIs,
    Forget,
    Kiosk,
    Listen,
    OpenEntry,
    Own,
    Refresh,
    Repeat,
    Rest,
    Say,
    Saying,
    State,
    StopVoice,
)
from assistant.values import Conversation, Utterance


class Move:
    """One step under way: the kiosk as it is by now, and the acts so far."""

    def __init__(self, kiosk: Kiosk, now_seconds: float) -> None:
        self.kiosk = kiosk
        self.now = now_seconds
        self.acts: list[Act] = []

    def set(self, **changes: Any) -> None:
        if changes.get("state", self.kiosk.state) != self.kiosk.state:
            changes["since_seconds"] = self.now
        self.kiosk = replace(self.kiosk, **changes)

    def do(self, *acts: Act) -> None:
        self.acts.extend(acts)

    def see_customer(self) -> None:
        """A sign that somebody is here."""
        self.set(active_seconds=self.now)

    # --- ear and mouth ------------------------------------------------------------------------

    def hush(self) -> None:
        """Say no more."""
        if self.kiosk.saying:
            self.do(StopVoice())
            self.set(saying=None, mouth_number=None)

    def close_ear(self) -> None:
        if self.kiosk.ear is not EarIs.CLOSED:
            self.do(Rest())
            self.ear_closed()

    def ear_closed(self) -> None:
        """It has come to its end by itself."""
        self.set(ear=EarIs.CLOSED, ear_number=None, is_push=False, is_spoken_to=False)

    def open_ear(self, push: bool = False) -> None:
        self.hush()
        chosen = self.kiosk.conversation.chosen_language
        heard = self.kiosk.rules.heard or self.kiosk.rules.languages
        self.do(Listen((chosen,) if chosen in heard else heard, push))
        self._ear_opened(EarIs.LISTENING, is_push=push)

    def _ear_opened(self, ear: EarIs, is_push: bool = False) -> None:
        since = self.now
        self.set(ear=ear, ear_number=None, ear_since_seconds=since, is_push=is_push, is_spoken_to=False)

    def say(self, saying: Saying) -> None:
        """Say it, the ear closed but for words that stop it; without a voice it is said at once."""
        rules = self.kiosk.rules
        if rules.can_speak and self.kiosk.can_hear and rules.stop_by_voice:
            self.do(AttendStop(saying))
            self._ear_opened(EarIs.ATTENDING)
        else:
            self.close_ear()
        if rules.can_speak:
            self.do(Say(saying))
            self.set(saying=saying, mouth_number=None)

    # --- whose turn it is ---------------------------------------------------------------------

    def speak(self, saying: Saying) -> None:
        self.set(state=State.SPEAKING, since_seconds=self.now)
        self.say(saying)
        if not self.kiosk.saying:
            self.set(portions=())  # all of it is on the screen
            self.customers_turn()

    def tell(self, name: str) -> None:
        """Show and say a sentence of the assistant's own."""
        self.set(notice=name)
        self.speak(Own(name, self.kiosk.language))

    def customers_turn(self) -> None:
        """Listen, or wait for the key that begins it."""
        kiosk = self.kiosk
        if kiosk.rules.mode == "open" and kiosk.can_hear and not _gave_up(kiosk):
            self.open_ear()
            self.set(state=State.LISTENING, since_seconds=self.now)
        else:
            self.hush()
            self.close_ear()
            self.set(state=State.READY, since_seconds=self.now, typed=kiosk.typed or input_line(kiosk))

    def think(self, shown: str, act: Answer | OpenEntry | Repeat) -> None:
        """Have a question answered; what was being said or heard is over."""
        self.hush()
        self.close_ear()
        self.set(
            state=State.THINKING,
            turn=act.turn,
            heard=shown,
            is_heard_out=True,
            notice="",
            portions=(),
            expects=False,
            scroll=0,
            typed=self.kiosk.typed or input_line(self.kiosk),
        )
        self.do(act)

    def answer(self, utterance: Utterance, shown: str = "") -> None:
        self.think(shown or utterance.text, Answer(self.kiosk.turn + 1, self._talk(), utterance))

    def open_entry(self, name: str) -> None:
        self.think(self.kiosk.heard, OpenEntry(self.kiosk.turn + 1, self._talk(), name))

    def repeat(self) -> None:
        self.think(self.kiosk.heard, Repeat(self.kiosk.turn + 1, self._talk()))

    def _talk(self) -> Conversation:
        """The conversation so far; one that has no language yet has the one on the screen, not the base's."""
        talk = self.kiosk.conversation
        return talk if talk.language else replace(talk, language=self.kiosk.language)

    def idle(self) -> None:
        """Forget whoever was here, and invite the next one."""
        self.hush()
        kiosk, rules = self.kiosk, self.kiosk.rules
        if (kiosk.volume, kiosk.words_a_minute) != (rules.volume, rules.words_a_minute):
            self.do(Adjust(rules.volume, rules.words_a_minute))
        self.do(Forget(), Refresh())
        fresh = Kiosk(rules, volume=rules.volume, words_a_minute=rules.words_a_minute)
        self.kiosk = replace(
            fresh,
            since_seconds=self.now,
            active_seconds=self.now,
            refreshed_seconds=self.now,
            turn=kiosk.turn + 1,  # an answer under way is for somebody who has gone
            ear=kiosk.ear,
            ear_note=kiosk.ear_note,
            mouth_note=kiosk.mouth_note,
            failures=kiosk.failures,
            typed=input_line(kiosk),
        )
        self.wait_for_anybody()

    def wait_for_anybody(self) -> None:
        if self.kiosk.rules.mode == "open" and self.kiosk.can_hear:
            self.open_ear()
        else:
            self.close_ear()

    def forget_words(self) -> None:
        """What was heard last was nothing."""
        self.set(heard="", is_heard_out=False)


def is_fresh(kiosk: Kiosk) -> bool:
    """Whether there is nothing to forget."""
    return kiosk.conversation == Conversation() and not kiosk.typed


def input_line(kiosk: Kiosk) -> str | None:
    """An empty line where nothing can be heard, so that customers can type at once; else none."""
    return "" if kiosk.is_deaf else None


_FAILURES = 2  # the first may be chance; after the second the recognizer is left alone for a while


def _gave_up(kiosk: Kiosk) -> bool:
    return kiosk.failures >= _FAILURES
