"""A kiosk whose screen, microphone and loudspeaker are a browser's: `/api/kiosk`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

routes: Sequence[BaseRoute] = ()
