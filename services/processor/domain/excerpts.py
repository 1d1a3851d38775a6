"""Values as an error may show them."""


def excerpt(value: object, longest: int = 60) -> str:
    """A value as an error may show it: short, on one line, printable."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)[: longest + 1])
    return text if len(text) <= longest else text[:longest] + "…"
