"""How often and how many at once: a rate for each address, and places for what takes the processor."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.channels.web.guarding.refusals import Refusal
from assistant.errors import BusyError

# A page is some fifteen files, and while somebody types a question it is asked for suggestions.
REQUESTS_A_QUESTION = 20
LEAST_REQUESTS_A_MINUTE = 600  # however few questions are allowed, the page itself must load
MOST_ADDRESSES = 10_000  # remembered at a time: some 2 MB
# Of one address, running: a shop full of tablets behind one router. Who asks and never reads, a hundred
# times over, holds no more than these.
AT_ONCE = 100
_READING = ("GET", "HEAD", "OPTIONS")


class Bucket:
    """Tokens for each key: as many at once as a minute brings, then one at a time as they come back."""

    def __init__(self, a_minute: int, clock: Callable[[], float], most_keys: int = MOST_ADDRESSES) -> None:
        self._seconds_a_token = 60 / a_minute
        self._clock = clock
        self._most_keys = most_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()  # when all tokens are back, in order of use

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str) -> float:
        """0 where a token was taken, else the seconds until there is one; none is taken then."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._seconds_a_token
        wait_seconds = full_at - now - 60
        if wait_seconds > 1e-6:  # of rounding
            return wait_seconds
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most_keys:
            self._full_at.popitem(last=False)
        return 0.0


class Rates:
    """Refuses an address that asks too often; reading pages is allowed far more often than asking."""

    def __init__(self, questions_a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        requests_a_minute = max(LEAST_REQUESTS_A_MINUTE, REQUESTS_A_QUESTION * questions_a_minute)
        self._requests = Bucket(requests_a_minute, clock)
        self._questions = Bucket(questions_a_minute, clock)

    def __call__(self, scope: Scope) -> Refusal | None:
        address = address_of(scope)
        wait_seconds = self._requests.take(address)
        if not wait_seconds and (scope["type"] == "websocket" or scope["method"] not in _READING):
            wait_seconds = self._questions.take(address)
        if not wait_seconds:
            return None
        seconds = math.ceil(wait_seconds)
        return Refusal(
            429,
            "this address asks too often",
            f"ask again in {seconds} seconds" if seconds > 1 else "ask again in a second",
            (("retry-after", str(seconds)),),
        )


class AtOnce:
    """Bounds how many requests and WebSockets of one address are open at a time."""

    def __init__(self, app: ASGIApp, most: int = AT_ONCE) -> None:
        self._app = app
        self._most = most
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        if self._open[address] >= self._most:
            await _TOO_MANY(scope, receive, send)
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


_TOO_MANY = Refusal(
    429,
    "this address asks too much at the same time",
    "wait for the answers, then ask again",
    (("retry-after", "1"),),
)


def address_of(scope: Scope) -> str:
    """Whom a rate is kept for: an IPv4 address, or the /64 network that one IPv6 customer has."""
    client = scope.get("client")
    return _customer(client[0]) if client else ""


@lru_cache(maxsize=1024)
def _customer(written: str) -> str:
    try:
        address = ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return written
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class Overload:
    """Places for work that takes the processor: so many at once, so many waiting, more are turned away.

    One for each app, used in one event loop.
    """

    def __init__(self, running: int, waiting: int, longest_wait_seconds: float = 10.0) -> None:
        self._places = anyio.Semaphore(running)
        self._most_waiting = waiting
        self._longest_wait_seconds = longest_wait_seconds
        self._waiting = 0

    @property
    def waiting(self) -> int:
        return self._waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for as long as it is open; raises BusyError where too many wait, or it took too long."""
        await self._take()
        try:
            yield
        finally:
            self._places.release()

    async def _take(self) -> None:
        try:
            self._places.acquire_nowait()
            return
        except anyio.WouldBlock:
            if self._waiting >= self._most_waiting:
                raise _busy() from None
        self._waiting += 1
        try:
            with anyio.fail_after(self._longest_wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1


def _busy() -> BusyError:
    return BusyError("too many customers are asking at this moment", "ask again in a few seconds")
