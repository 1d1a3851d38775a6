"""The project's Markdown pages, read as far as tests of them need it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block between ``` lines."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page at the top, in docs, in examples and where folders explain themselves."""
    folders = ("docs", "examples", "changelog.d", "benchmarks", "deploy")
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md"))]
    return sorted(page for page in found if "node_modules" not in page.parts)


def fences_of(page: Path) -> list[Fence]:
    return [Fence(*found) for found in _FENCE.findall(_text(page))]


def code_of(page: Path) -> str:
    """All that is marked as code: fences and `spans`."""
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", _text(page)))
    return "\n".join([*(fence.text for fence in fences_of(page)), *spans])


def links_of(page: Path) -> Iterator[str]:
    """Those that stay within the project."""
    for link in _LINK.findall(_FENCE.sub("", _text(page))):
        if "://" not in link and not link.startswith("mailto:"):
            yield link


def anchors_of(page: Path) -> set[str]:
    """The names under which GitHub links to the page's headings."""
    headings = _HEADING.findall(_FENCE.sub("", _text(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
