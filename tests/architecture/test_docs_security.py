"""The page of security requirements leaves none out, has an answer to each, and names tests that there are."""

import ast
import re
from functools import cache

import pytest

from tests.support.markdown import ROOT

PAGE = ROOT / "docs" / "reference" / "security.md"
_TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
_LEAST_WORDS = 2
_ANSWERS = {"met", "partly", "no", "n/a"}
# How many requirements each section of ASVS 5.0 has, and which sections of RFC 9700 ask for something.
_ASVS = {
    "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 3, "10.3": 5, "10.4": 16, "10.5": 5, "10.6": 2, "10.7": 3,
}  # fmt: skip
_RFC_9700 = ["2.1", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", *(f"4.{n}" for n in range(1, 18))]


def rows() -> list[list[str]]:
    """The cells of each requirement."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return [row for row in cells if re.match(r"\d", row[0])]


@cache
def names_in(file: str) -> frozenset[str]:
    """What pytest collects there: our tests are functions of a module."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    found = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(each.name for each in found if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_requirement_is_there_once_and_in_its_order() -> None:
    asvs = [f"{section}.{number}" for section, count in _ASVS.items() for number in range(1, count + 1)]
    assert [row[0] for row in rows()] == asvs + _RFC_9700


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_requirement_is_answered(row: list[str]) -> None:
    _, asks, answer, evidence = row
    assert answer in _ANSWERS
    assert len(asks.split()) >= _LEAST_WORDS
    if answer in {"met", "partly"}:
        assert _TEST.search(evidence), "which test would fail?"
    if answer != "met":
        assert len(_TEST.sub("", evidence).split()) >= _LEAST_WORDS, "why?"


@pytest.mark.parametrize("page", ["security.md", "failure-modes.md"])
def test_every_test_that_is_named_exists(page: str) -> None:
    named = _TEST.findall(PAGE.with_name(page).read_text(encoding="utf-8"))
    assert named
    assert [f"{file}::{name}" for file, name in named if name not in names_in(file)] == []
