"""The reference pages that come out of the code: `python -m docs.generate` writes them, `--check` only compares."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generators.audit_page import audit_page
from docs.generators.errors_page import errors_page
from docs.generators.metrics_page import metrics_page
from docs.generators.pipelines_page import pipelines_page
from docs.generators.routes_page import routes_page
from docs.generators.settings_page import settings_page
from docs.generators.values_page import values_page

REFERENCE = Path(__file__).parent / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "routes.md": routes_page,
    "metrics.md": metrics_page,
    "pipelines.md": pipelines_page,
    "audit.md": audit_page,
    "values.md": values_page,
}


def stale_pages() -> list[str]:
    """The names of the pages that are not what the code says now."""
    return [name for name, page in PAGES.items() if _written(name) != page()]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        stale = stale_pages()
        for name in stale:
            print(f"docs/reference/{name} is stale: run .venv/bin/python -m docs.generate")
        return 1 if stale else 0
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


def _written(name: str) -> str | None:
    path = REFERENCE / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
