"""The `/docs` page: Swagger UI out of an installed package, so that it works with no internet."""

from importlib import resources

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from shared.errors import NotFound
from shared.web.bearer import SCHEME
from shared.web.problems import SCHEMA as PROBLEM_SCHEMA

_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_START = """
window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: true,
  displayRequestDuration: true, validatorUrl: null, tryItOutEnabled: true
});
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
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs_page(request: Request) -> HTMLResponse:
    return HTMLResponse(_PAGE.replace("{title}", request.app.title), headers={"Content-Security-Policy": _PAGE_POLICY})


@router.get("/docs/start.js")
async def docs_start() -> Response:
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
async def docs_file(name: str) -> Response:
    if name not in _FILES:
        raise NotFound(f"The docs page has no file {name}.")
    content = resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=_FILES[name], headers={"Cache-Control": "public, max-age=86400"})


def install_openapi(app: FastAPI) -> None:
    """Let `/openapi.json` name the bearer scheme and the shape of a problem."""

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
            components["securitySchemes"] = components.get("securitySchemes", {}) | {
                SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `token` of `POST /api/login` at auth.",
                }
            }
            _describe_validation_errors(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


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
