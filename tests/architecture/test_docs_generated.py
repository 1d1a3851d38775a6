"""The pages that come out of the code are those that the code gives now, and leave nothing out."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES, REFERENCE
from services.auth.settings import AuthSettings
from services.processor.settings import ProcessorSettings

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
