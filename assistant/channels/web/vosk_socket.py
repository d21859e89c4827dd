"""The protocol of vosk-server, so that its clients work unchanged: `/` and `/vosk`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

routes: Sequence[BaseRoute] = ()
