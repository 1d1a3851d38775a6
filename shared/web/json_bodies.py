"""JSON bodies as any two parsers read them alike: UTF-8 (RFC 8259 section 8.1), and no member twice (section 4).

Python's own parser guesses UTF-16 and UTF-32, and takes the last of two members: what a gateway checked may then be
another value than ours. A router whose routes take JSON is `APIRouter(route_class=JsonRoute)`.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from shared.errors import InvalidRequest


class JsonRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read_strictly_then_handle(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return read_strictly_then_handle if self.body_field else handle


class _StrictRequest(Request):
    async def json(self) -> object:
        """What FastAPI reads a body with; only its own exception reaches the handler of problems as it is."""
        raw_body = await self.body()
        try:
            return _DECODER.decode(raw_body.decode())
        except UnicodeDecodeError as error:
            detail = f"The body is not UTF-8 at byte {error.start}. Send a JSON object in UTF-8."
            raise HTTPException(InvalidRequest.status) from InvalidRequest(detail)
        except InvalidRequest as error:
            raise HTTPException(InvalidRequest.status) from error


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidRequest("The body has an object with the same member twice. Send each member once.")
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct)
