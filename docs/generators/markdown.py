"""Markdown that every renderer reads alike."""

from collections.abc import Sequence

GENERATED = "<!-- Written by `python -m docs.generate` out of the code. Change the code, not this page. -->"


def page(title: str, *blocks: str) -> str:
    """A whole page: the mark of a generated file, a title, and the blocks with an empty line between them."""
    return "\n\n".join([f"# {title}", GENERATED, *(block for block in blocks if block)]) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A pipe table. Cells hold Markdown; a pipe in one is escaped, a line end becomes a space."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    return f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
