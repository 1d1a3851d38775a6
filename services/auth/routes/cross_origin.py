"""CORS: which pages of other origins may read what browser apps need (the Fetch standard's CORS protocol)."""

from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = {
    "/oauth2/token",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-requested-with",
    "Access-Control-Max-Age": "600",
}
_NO_CONTENT = 204


class CrossOrigin:
    """ASGI middleware. No cookie counts at these paths, so credentials are allowed to nobody."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PATHS or not self.origins:
            await self.app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = [(b"access-control-allow-origin", origin.encode("latin-1"))] if origin in self.origins else []

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exposed = (b"access-control-expose-headers", b"ETag, Retry-After, WWW-Authenticate")
                told = [*allowed, exposed] if allowed else []
                message = {**message, "headers": [*message.get("headers", []), (b"vary", b"Origin"), *told]}
            await send(message)

        is_preflight = scope["method"] == "OPTIONS" and b"access-control-request-method" in headers
        if is_preflight and allowed:
            await Response(status_code=_NO_CONTENT, headers=_PREFLIGHT)(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)
