"""What the pages say about links, commands, names and places is true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.settings import LocalSettings
from services.auth.settings import AuthSettings
from services.processor.settings import ProcessorSettings
from tests.support.markdown import ROOT, anchors_of, code_of, fences_of, links_of, pages

PAGES = pages()
_SETTINGS = {
    f"MAYFLY_{name.upper()}"
    for settings in (AuthSettings, ProcessorSettings, LocalSettings)
    for name in settings.model_fields
}
_OF_THE_TESTS = {"MAYFLY_TEST_STACK", "MAYFLY_TEST_GATEWAY_URL", "MAYFLY_NAME", "MAYFLY_NAME_FILE"}
_OURS = re.compile(
    r"(?<![\w/.-])((?:shared|services|tests|deploy|docs|examples|benchmarks|requirements|changelog\.d|\.ci)/[\w./-]*\w)"
)
_PRIVATE = re.compile(r"/root/|/home/|/Users/|index-url|pypi|artifactory|[a-z0-9-]+\.(?:internal|lan)\b")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("path", PAGES, ids=name)


@each_page
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in links_of(path):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(link)
    assert broken == []


@each_page
def test_every_make_command_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(_make_targets(code_of(path))) <= targets


@each_page
def test_every_json_block_parses(path: Path) -> None:
    for fence in fences_of(path):
        if fence.language == "json":
            json.loads(fence.text)


@each_page
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"MAYFLY_[A-Z0-9_]*[A-Z0-9]", path.read_text(encoding="utf-8"))) - _OF_THE_TESTS
    assert {each for each in named if each not in _SETTINGS and each.removesuffix("_FILE") not in _SETTINGS} == set()


@each_page
def test_every_file_that_is_named_exists(path: Path) -> None:
    assert [each for each in _OURS.findall(code_of(path)) if not (ROOT / each).exists()] == []


@each_page
def test_no_page_names_a_private_place(path: Path) -> None:
    assert _PRIVATE.findall(path.read_text(encoding="utf-8")) == []


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)]
    assert [name(page) for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in reached] == []


def test_the_environment_s_example_names_settings_that_exist() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"MAYFLY_[A-Z0-9_]+(?==)", text)) <= _SETTINGS | {f"{each}_FILE" for each in _SETTINGS}


def _make_targets(code: str) -> Iterator[str]:
    for arguments in re.findall(r"(?:^|[`$ ])make((?: [A-Za-z-]+\b(?!=))+)", code, flags=re.MULTILINE):
        yield from arguments.split()
