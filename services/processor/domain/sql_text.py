"""How names and texts are written in SQL, so that nothing a client sent is ever read as SQL."""

from collections.abc import Sequence


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def json_pointer(keys: Sequence[str]) -> str:
    """RFC 6901: reaches any key, whatever characters it holds."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def select(what: str, source: str, rest: str = "") -> str:
    """The one place where queries are put together: of names and texts that were quoted, and of checked expressions."""
    return f"SELECT {what} FROM {source} {rest}".rstrip()  # noqa: S608 - see above
