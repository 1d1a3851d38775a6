"""The pages that come out of the code are those that the code gives now, and leave nothing out."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES, REFERENCE
from docs.generators.routes_page import openapi_documents
from services.auth.settings import AuthSettings
from services.processor.context_keys import load_context_issuer
from services.processor.settings import ProcessorSettings
from shared.settings import load
from shared.tokens.pem_keys import generate_pem

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"^    (?:code|error)\b[^=\n]*= \"([a-z_-]+)\"", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_fresh(page: str) -> None:
    assert (REFERENCE / page).read_text(encoding="utf-8") == PAGES[page](), "run .venv/bin/python -m docs.generate"


def test_every_setting_is_on_its_page_with_what_it_does() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    fields = AuthSettings.model_fields | ProcessorSettings.model_fields
    assert [name for name in fields if f"`MAYFLY_{name.upper()}`" not in text] == []
    assert [name for name, field in fields.items() if not field.description] == []


def test_every_problem_s_code_in_the_source_is_on_its_page() -> None:
    text = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    sources = [path for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py")]
    said = [_CODE.findall(path.read_text(encoding="utf-8")) for path in sources]
    codes = {code for found in said for code in found}
    assert {"validation-failed", "invalid_grant", "job-not-found"} <= codes
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


@pytest.mark.parametrize("page", ["docs/reference/failure-modes.md", "docs/explanation/request-walk.md"])
def test_a_page_that_speaks_of_each_route_leaves_none_out(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    routes = [
        f"`{method.upper()} {path}`"
        for document in openapi_documents().values()
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith(("/api/", "/oauth2/"))
    ]
    assert routes
    assert [route for route in routes if route not in text] == []


def test_the_environment_s_example_starts_both_services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = {"MAYFLY_SIGNING_KEY_FILE": tmp_path / "rsa.pem", "MAYFLY_CONTEXT_KEY_FILE": tmp_path / "ec.pem"}
    keys["MAYFLY_SIGNING_KEY_FILE"].write_text(generate_pem("RS256"))
    keys["MAYFLY_CONTEXT_KEY_FILE"].write_text(generate_pem("ES256"))
    lines = [
        line
        for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    ]
    for name, _, value in (line.partition("=") for line in lines):
        monkeypatch.setenv(name, str(keys.get(name, value)))
    assert load(AuthSettings).mode == load(ProcessorSettings).mode == "production"
    load_context_issuer(load(ProcessorSettings))
