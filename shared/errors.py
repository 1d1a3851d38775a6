"""Every answer that is no success, as RFC 9457 sees it: one class for each kind, one detail for each case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what would be right.

    `pointer` is a JSON Pointer (RFC 6901) into the request body, or the name of a parameter or header.
    """

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 - the RFC's word; subclasses state the fact
    """An outcome that the client is told as `application/problem+json`.

    `detail` is shown to the client: it names the remedy, and nothing of our inside.
    """

    code: ClassVar[str] = "problem"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
        extensions: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.extensions = dict(extensions or {})
        self.headers = dict(headers or {})


class InvalidRequest(Problem):
    """The body is no JSON, or is malformed in another way; or several access tokens came at once."""

    code, status, title = "invalid-request", 400, "The request can't be read"


class Forbidden(Problem):
    """Who asks is known, and may not do this."""

    code, status, title = "forbidden", 403, "Not allowed"


class NotFound(Problem):
    """There is nothing at this path."""

    code, status, title = "not-found", 404, "Not found"


class Conflict(Problem):
    """What is asked for does not go together with what is there."""

    code, status, title = "conflict", 409, "Conflict"


class PayloadTooLarge(Problem):
    """The body has more bytes than `MAYFLY_MAX_BODY_BYTES`. Data goes to S3: `POST /api/uploads`."""

    code, status, title = "payload-too-large", 413, "The body is too large"


class ValidationFailed(Problem):
    """The request can be read, but a field, a parameter or a header has no valid value. `errors` names each."""

    code, status, title = "validation-failed", 422, "The request is not valid"


class RateLimited(Problem):
    """Too much at once. Always says when to come back."""

    code, status, title = "rate-limited", 429, "Too many requests"

    def __init__(self, detail: str, *, retry_after_seconds: float) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)


class Unavailable(Problem):
    """Something that we depend on does not answer. Nothing was decided; asking again is right."""

    code, status, title = "unavailable", 503, "Not available right now"

    def __init__(self, detail: str, *, retry_after_seconds: float = 1) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
