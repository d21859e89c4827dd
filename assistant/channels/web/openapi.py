"""What the HTTP interface promises, as OpenAPI 3.1."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def description() -> dict[str, object]:
    return {}


async def describe(_: Request) -> Response:
    return JSONResponse(description())


routes = [Route("/api/openapi.json", describe)]
