"""The rules of the house that no linter knows: sizes, names, and where things may stand."""

import ast
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py"))
OURS = PRODUCT + sorted(
    path for folder in ("tests", "benchmarks", "deploy", "examples", "docs") for path in (ROOT / folder).rglob("*.py")
)
MOST_LINES = 500
MOST_FUNCTION_LINES = 50
MOST_PUBLIC_NAMES = 8
MOST_HANDLER_STATEMENTS = 5
VAGUE = {"utils", "helpers", "common", "core", "base", "manager", "misc"}
# Catalogues: their names are entries of one kind, read as a list.
CATALOGUES = {
    "shared/errors.py",
    "shared/telemetry/metrics.py",
    "services/auth/domain/oauth_errors.py",
    "services/auth/domain/problems.py",
    "services/auth/schemas.py",
    "services/processor/schemas.py",
    "services/auth/dependencies.py",
    "services/processor/dependencies.py",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    assert node.end_lineno is not None
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return node.end_lineno - node.lineno + 1 - docstring


def statements(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    return len(node.body) - documented


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in VAGUE
    long = {node.name: code_lines(node) for node in functions(path) if code_lines(node) > MOST_FUNCTION_LINES}
    assert not long


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_a_module_is_easy_to_take_in(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if path.name == "__init__.py":
        assert not tree.body, "an __init__.py is empty: importing a package does nothing"
    # One place imports types that are not there at run time (decision 0010).
    assert name(path) == "shared/clients/aws_types.py" or "TYPE_CHECKING" not in path.read_text(encoding="utf-8")
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    routes = "/routes/" in name(path)
    assert len(public) <= MOST_PUBLIC_NAMES or name(path) in CATALOGUES or routes, public


@pytest.mark.parametrize("path", [path for path in PRODUCT if "/routes/" in name(path)], ids=name)
def test_a_handler_parses_calls_one_flow_and_returns(path: Path) -> None:
    long = {
        node.name: statements(node)
        for node in functions(path)
        if node.decorator_list and statements(node) > MOST_HANDLER_STATEMENTS
    }
    assert not long


@pytest.mark.parametrize("path", [path for path in PRODUCT if "shared/web" not in name(path)], ids=name)
def test_only_the_edge_knows_http_exceptions(path: Path) -> None:
    assert "HTTPException" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("member", ["shared", "services/auth", "services/processor"])
def test_a_wheel_holds_its_own_folder_alone(member: str, tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT / member)).build(directory=str(tmp_path), versions=["standard"])
    names = [each for each in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in each]
    assert f"{member}/py.typed" in names
    assert all(each.startswith(f"{member}/") for each in names)
    templates = {each.relative_to(ROOT).as_posix() for each in (ROOT / member).rglob("templates/*")}
    assert templates <= set(names)
