"""The app factory: routes, what they share, and the safety around them. Nothing here is global.

Every module of routes finds on `app.state`: `backstage` (its seats are counted) and `shared`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from assistant.channels.web import static_files
from assistant.channels.web.asking import api, media, openapi
from assistant.channels.web.asking.conversations import Conversations
from assistant.channels.web.guarding import failures
from assistant.channels.web.guarding.rates import Overload
from assistant.channels.web.guarding.security import protected
from assistant.channels.web.metrics import Counted, Metrics
from assistant.channels.web.pages_watch import PagesWatch
from assistant.channels.web.seats import CountedSeats
from assistant.channels.web.shared import Shared
from assistant.channels.web.sockets import kiosk_socket, speech_socket, vosk_socket
from assistant.channels.web.values import Access, Backstage
from assistant.errors import AssistantError

# Of those beside each other in the processor; most of a turn lets go of the interpreter only in part.
_RUNNING = max(2, min(os.cpu_count() or 2, 8))
# At 6 ms a question on one core the last of them waits less than a second; the others hear "busy" at once.
_WAITING = 128
_MOST_KIOSKS = 64  # three threads each; a house has a few
_SWEEP_SECONDS = 30.0  # forgotten so much later, at the latest, than the settings say


def create_app(backstage: Backstage, access: Access) -> Starlette:
    """The server's app; two of them in one process share nothing but what they were given."""
    seats = CountedSeats(backstage.take_seat)
    counted = replace(backstage, take_seat=seats.take)
    shared = _shared(counted, seats)
    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(Counted, shared.metrics),
            Middleware(protected, access, backstage.settings.web),
            Middleware(failures.Mended),
        ],
        exception_handlers={
            HTTPException: failures.on_http_exception,
            failures.Refused: failures.on_refused,
            AssistantError: failures.on_assistant_error,
        },
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False  # a second address for everything helps nobody
    app.state.backstage, app.state.shared = counted, shared
    return app


def _routes() -> list[BaseRoute]:
    return [
        *api.routes,
        *openapi.routes,
        media.media_route,
        *speech_socket.routes,
        *vosk_socket.routes,
        *kiosk_socket.routes,
        *static_files.routes,
    ]


def _shared(backstage: Backstage, seats: CountedSeats) -> Shared:
    web, metrics = backstage.settings.web, Metrics()
    conversations = Conversations(web.most_conversations, web.conversation_minutes * 60)
    metrics.watch("conversations", "Conversations remembered", lambda: len(conversations))
    metrics.watch("seats_taken", "Customers who use microphone or voice", lambda: seats.taken)
    metrics.watch("seats", "Customers who can at a time", lambda: web.most_speaking)
    return Shared(
        backstage=backstage,
        conversations=conversations,
        metrics=metrics,
        seats=seats,
        watch=PagesWatch(backstage.assistant, metrics.reloaded),
        places=Overload(_RUNNING, _WAITING),
        threads=anyio.CapacityLimiter(_RUNNING),  # of their own: no film that is sent takes one
        kiosks=Overload(_MOST_KIOSKS, waiting=0),
    )


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    shared: Shared = app.state.shared
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shared.watch.run)
        tasks.start_soon(_forget_idle, shared.conversations)
        yield
        tasks.cancel_scope.cancel()


async def _forget_idle(conversations: Conversations) -> None:
    """What customers said is gone in time, whether or not anybody asks again."""
    while True:
        await anyio.sleep(_SWEEP_SECONDS)
        conversations.forget_idle()
