"""An ear and a mouth for a browser, over a WebSocket: `/api/speech`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

routes: Sequence[BaseRoute] = ()
