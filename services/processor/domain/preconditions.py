"""On what state a client makes its change depend: `If-Match` and `If-None-Match` (RFC 9110 §13.1)."""

from dataclasses import dataclass

from shared.errors import FieldError, Problem, ValidationFailed

_ANY = "*"


class PreconditionFailed(Problem):
    """What the client wants to change is not what it has read. Nothing was changed."""

    code, status, title = "precondition-failed", 412, "It was changed meanwhile"


@dataclass(frozen=True, slots=True)
class Precondition:
    """`tags`: it must have one of these, `*` any; None: the client did not say. `absent`: there must be nothing yet."""

    tags: tuple[str, ...] | None = None
    absent: bool = False

    def check(self, tag: str | None) -> None:
        """`tag` is what it has now, None where there is nothing.

        Raises:
            PreconditionFailed: it is not as the client wants it.
        """
        if self.absent and tag is not None:
            raise PreconditionFailed("If-None-Match: there is one of this name already. Read it, then send If-Match.")
        if self.tags is None or (tag is not None and (tag in self.tags or _ANY in self.tags)):
            return
        detail = "there is none of this name" if tag is None else "it has been changed since you read it"
        raise PreconditionFailed(f"If-Match: {detail}. Read it again, then repeat the change.")


def parse_precondition(raw_if_match: str | None, raw_if_none_match: str | None) -> Precondition:
    """Weak tags match nothing here, as RFC 9110 §13.1.1 has it.

    Raises:
        ValidationFailed: If-None-Match names tags; a change knows only `*`.
    """
    if raw_if_none_match is not None and raw_if_none_match.strip() != _ANY:
        detail = 'If-None-Match: only "*" is known here, for: store it if there is none of this name'
        raise ValidationFailed(detail, errors=[FieldError("If-None-Match", detail)])
    tags = None if raw_if_match is None else tuple(tag.strip() for tag in raw_if_match.split(","))
    return Precondition(tags, raw_if_none_match is not None)
