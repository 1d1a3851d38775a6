"""The `/docs` page: Swagger UI out of an installed package, so that it works with no internet."""

import json
from collections.abc import Iterable
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from shared.errors import NotFound
from shared.web.bearer import SCHEME
from shared.web.docs_client import CLIENT_ID, REDIRECT_PATH
from shared.web.problems import SCHEMA as PROBLEM_SCHEMA

OAUTH = "oauth2"
_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_START = """
window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: true,
  displayRequestDuration: true, validatorUrl: null, tryItOutEnabled: true,
  oauth2RedirectUrl: new URL("%(redirect)s", location.href).href,
  onComplete: () => window.ui.initOAuth({
    clientId: "%(client)s", usePkceWithAuthorizationCodeGrant: true, scopes: %(scopes)s
  })
});
"""
_BACK = """
const told = Object.fromEntries(new URLSearchParams(location.search));
const asked = window.opener && window.opener.swaggerUIRedirectOauth2;
const refused = !asked ? "This window belongs to no docs page. Press Authorize there."
  : told.state !== asked.state || told.iss !== %(issuer)s ? "This answers another question. Press Authorize again."
  : told.error ? `${told.error}: ${told.error_description || ""}`
  : !told.code ? "The answer has no code. Press Authorize again." : null;
if (refused === null) {
  delete asked.auth.state;
  asked.auth.code = told.code;
  asked.callback({auth: asked.auth, redirectUrl: asked.redirectUrl});
  window.close();
} else {
  document.querySelector("p").textContent = refused;
  if (asked) asked.errCb({authId: asked.auth.name, source: "auth", level: "error", message: refused});
}
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css"><link rel="icon" href="docs/favicon-32x32.png">
</head>
<body>
<noscript>This page needs scripts; the same contract is at <a href="openapi.json">openapi.json</a>.</noscript>
<main id="swagger-ui"></main>
<script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script>
</body>
</html>
"""
_BACK_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Back from the login</title></head>
<body><main><p role="status">This needs scripts, as the docs page does.</p></main>
<script src="oauth2-redirect.js"></script></body>
</html>
"""
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' {issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs_page(request: Request) -> HTMLResponse:
    policy = _PAGE_POLICY.format(issuer=_origin_of(request.app.state.issuer))
    return HTMLResponse(_PAGE.replace("{title}", request.app.title), headers={"Content-Security-Policy": policy})


@router.get("/docs/start.js")
async def docs_start(request: Request) -> Response:
    scopes = request.app.openapi()["components"]["securitySchemes"][OAUTH]["flows"]["authorizationCode"]["scopes"]
    values = {"client": CLIENT_ID, "redirect": REDIRECT_PATH.removeprefix("/"), "scopes": json.dumps(list(scopes))}
    return Response(_START % values, media_type="text/javascript")


@router.get(REDIRECT_PATH)
async def docs_redirect() -> HTMLResponse:
    """Where auth leads the browser back to: in a window of its own, which hands the code to the docs page."""
    policy = "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    return HTMLResponse(_BACK_PAGE, headers={"Content-Security-Policy": policy, **_NO_STORE})


@router.get(f"{REDIRECT_PATH}.js")
async def docs_redirect_script(request: Request) -> Response:
    script = _BACK % {"issuer": json.dumps(request.app.state.issuer)}
    return Response(script, media_type="text/javascript", headers=_NO_STORE)


@router.get("/docs/{name}")
async def docs_file(name: str) -> Response:
    if name not in _FILES:
        raise NotFound(f"The docs page has no file {name}.")
    content = resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=_FILES[name], headers={"Cache-Control": "public, max-age=86400"})


def install_openapi(app: FastAPI, issuer: str) -> None:
    """Let `/openapi.json` name the two ways to a token, and the shape of a problem."""
    app.state.issuer = issuer

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
                license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            )
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
            for name in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(name, None)
            scopes = _scopes(schema)
            components["securitySchemes"] = components.get("securitySchemes", {}) | _schemes(issuer, scopes)
            _describe_validation_errors(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _schemes(issuer: str, scopes: Iterable[str]) -> dict[str, Any]:
    return {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `token` of `POST /api/login` at auth.",
        },
        OAUTH: {
            "type": "oauth2",
            "description": "Log in at auth, by its own page. Leave the secret empty: this page is a public client.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{issuer}/oauth2/authorize",
                    "tokenUrl": f"{issuer}/oauth2/token",
                    "scopes": dict.fromkeys(scopes, ""),
                }
            },
        },
    }


def _scopes(schema: dict[str, Any]) -> list[str]:
    """All that the operations need. Each gets the second way to a token beside the first."""
    found: set[str] = set()
    for operation in (each for path in schema["paths"].values() for each in path.values()):
        if security := operation.get("security"):
            needed = security[0][SCHEME]
            found.update(needed)
            operation["security"] = [*security, {OAUTH: needed}]
    return sorted(found)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _describe_validation_errors(schema: dict[str, object]) -> None:
    """FastAPI documents a 422 of its own shape; ours is a problem."""
    paths = schema["paths"]
    assert isinstance(paths, dict)  # noqa: S101 - OpenAPI
    for operations in paths.values():
        for operation in operations.values():
            answer = operation.get("responses", {}).get("422")
            if answer and "application/json" in answer.get("content", {}):
                answer["description"] = "The request is not valid (`validation-failed`)"
                answer["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
