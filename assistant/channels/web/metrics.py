"""What the server counts, in the format that Prometheus reads; no word and no address of a customer."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.channels.web.pages_watch import Reload
from assistant.values import Outcome, Turn

MEDIA_TYPE = CONTENT_TYPE_LATEST
# Around the goals: 5 ms for a small base, 40 ms for a large one, a second when the machine is busy.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
# Why a request was refused, by the status it was answered with.
_REASONS = {
    400: "bad-request",
    403: "not-allowed",
    404: "not-there",
    405: "bad-method",
    408: "too-slow",
    413: "too-large",
    415: "bad-type",
    421: "bad-host",
    429: "too-many",
    431: "too-large",
    500: "broken",
    503: "busy",
}


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._questions = Counter(
            "assistant_questions",
            "Questions, by what became of them, language of the answer, typed or spoken",
            ["outcome", "language", "way"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "assistant_answer_seconds",
            "Time to an answer, without waiting",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._feedback = Counter(
            "assistant_feedback", "Answers called helpful or not", ["helpful"], registry=self._registry
        )
        self._refused = Counter(
            "assistant_refused", "Requests refused, by reason", ["reason"], registry=self._registry
        )
        self._reloads = Counter(
            "assistant_reloads", "Changed pages, by what became of them", ["result"], registry=self._registry
        )

    def watch(self, name: str, meaning: str, count: Callable[[], float]) -> None:
        """A gauge that is read whenever the metrics are."""
        Gauge(f"assistant_{name}", meaning, registry=self._registry).set_function(count)

    def answered(self, turn: Turn, became: Outcome, is_spoken: bool) -> None:
        way = "spoken" if is_spoken else "typed"
        self._questions.labels(became, turn.reply.language, way).inc()
        self._seconds.observe(turn.milliseconds / 1000)

    def judged(self, is_helpful: bool) -> None:
        self._feedback.labels("yes" if is_helpful else "no").inc()

    def refused(self, status: int) -> None:
        self._refused.labels(_REASONS.get(status, "other")).inc()

    def reloaded(self, result: Reload) -> None:
        self._reloads.labels(result).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class Counted:
    """The outermost ASGI middleware: counts what is refused, whoever refuses it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_count(message: Message) -> None:
            is_answer = message["type"] in ("http.response.start", "websocket.http.response.start")
            if is_answer and message["status"] >= 400:
                self._metrics.refused(message["status"])
            await send(message)

        await self._app(scope, receive, send_and_count)
