"""docs/reference/errors.md: every kind of problem that the product can answer with."""

import inspect
from collections.abc import Iterator
from typing import get_args

from docs.generators.markdown import code, page, table
from docs.generators.modules import part_of, product_modules
from services.auth.domain.oauth_errors import OAuthError
from services.processor.routes.process_answer import JobFailedInWait
from shared.errors import Problem
from shared.tokens.claims import Reason

_INTRODUCTION = """Every error of the services' own API is an RFC 9457 problem document (`application/problem+json`).
`code` names its kind and is stable; `detail` says what is wrong in this case and what would be right; `errors` points
at the fields; `trace_id` finds the request in the logs.

```json
{
  "type": "urn:mayfly:problem:validation-failed",
  "title": "The request is not valid",
  "status": 422,
  "detail": "/username: Field required",
  "code": "validation-failed",
  "errors": [{"pointer": "/username", "detail": "Field required"}],
  "trace_id": "0af7651916cd43dd8448eb211c80319c"
}
```

A 429 and a 503 always carry `Retry-After`. Under `/oauth2/` errors have the shape that RFC 6749 gives them
(`{"error": …, "error_description": …}`) instead."""

_ROUTER = [
    "`method-not-allowed`",
    "405",
    "Method Not Allowed",
    "both",
    "The path knows other methods: `Allow` lists them.",
]

_JOBS = """A job that fails while `POST /api/process` waits for it is answered with the job's own error: 422, or 500
where it was our side that failed. The same `code` is in `status.error` of `GET /api/status/{processing_id}`. Only the
answer to `GET /api/results/{processing_id}` has the code `job-failed`."""

_OAUTH = """## Below `/oauth2/`

`error` is RFC 6749's (or RFC 7009's) own word; `error_description` is for the developer of the client. Whatever else is
refused there is `invalid_request` with the status that it has elsewhere (404, 405, 408, 413, 431),
`temporarily_unavailable` with a 429 or 503, `server_error` with a 500."""

_TOKENS = """## Why a token is refused

A 401 `unauthorized` for a token that is not good names one of these reasons in `detail` and in `WWW-Authenticate`
(RFC 6750); the metric `mayfly_token_verifications_total` counts them."""


def errors_page() -> str:
    rows = [[code(kind.code), str(kind.status), kind.title, _where(kind), _meaning(kind)] for kind in problem_kinds()]
    kinds = table(
        ["code", "status", "title", "answered by", "meaning"],
        sorted([*rows, _ROUTER], key=lambda row: (row[1], row[0])),
    )
    oauth_rows = [[code(kind.error), str(kind.status)] for kind in OAuthError.__subclasses__()]
    oauth = table(["error", "status"], sorted(oauth_rows))
    reasons = "\n".join(f"- {code(reason)}" for reason in get_args(Reason))
    return page("Errors", _INTRODUCTION, "## Kinds", kinds, _JOBS, _OAUTH, oauth, _TOKENS, reasons)


def problem_kinds() -> list[type[Problem]]:
    """One class for each code and status: of two with the same, the one that the other is made from."""
    for _ in product_modules():  # a class is only known once its module was imported
        pass
    kinds: dict[tuple[str, int], type[Problem]] = {}
    for kind in _family(Problem):
        if kind is JobFailedInWait:  # it has the code of the job's error in every answer
            continue
        kinds.setdefault((kind.code, kind.status), kind)
    return list(kinds.values())


def _family(kind: type[Problem]) -> Iterator[type[Problem]]:
    yield kind
    for child in sorted(kind.__subclasses__(), key=_place):
        # One that is made within a function stands for a case, not for a kind.
        if child.__module__.startswith(("shared.", "services.")) and "<locals>" not in child.__qualname__:
            yield from _family(child)


def _place(kind: type[Problem]) -> tuple[bool, str, str]:
    """What both services share comes first; the order in which modules were imported says nothing."""
    return not kind.__module__.startswith("shared."), kind.__module__, kind.__qualname__


def _where(kind: type[Problem]) -> str:
    part = part_of(kind.__module__)
    return "both" if part == "shared" else part


def _meaning(kind: type[Problem]) -> str:
    return inspect.cleandoc(kind.__doc__ or "") if kind is not Problem else "Anything that we did not foresee."
