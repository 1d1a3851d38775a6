"""What a route is given beside its parameters: the flows, and how long its client wants to wait."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from services.processor.domain.job_names import PROCESSING_ID_PATTERN
from services.processor.domain.preferences import Preference, parse_prefer
from services.processor.resources import ProcessorFlows
from services.processor.settings import ProcessorSettings
from shared.tokens.claims import Caller
from shared.web.bearer import caller_of


def flows_of(request: Request) -> ProcessorFlows:
    flows: ProcessorFlows = request.app.state.flows
    return flows


async def verified_caller(request: Request) -> Caller:
    return caller_of(request)


def owner_of(request: Request) -> str:
    """Whose jobs these are: the verified caller's, nobody else's."""
    return caller_of(request).user_id


def preference_of(
    request: Request,
    prefer: Annotated[  # noqa: ARG001 - it is documented by this; the header may come several times, which this is not
        str,
        Header(
            description="RFC 7240: `respond-async` answers 202 at once; `wait=N` waits up to N seconds, at most 60.",
            examples=["wait=10"],
        ),
    ] = "",
) -> Preference:
    settings: ProcessorSettings = request.app.state.settings
    raw_values = request.headers.getlist("prefer")
    return parse_prefer(
        raw_values, default_seconds=settings.default_wait_seconds, most_seconds=settings.max_wait_seconds
    )


def wait_of(
    request: Request,
    wait: Annotated[int, Query(ge=0, le=60, description="Wait up to so many seconds for the job's end.")] = 0,
) -> int:
    settings: ProcessorSettings = request.app.state.settings
    return min(wait, settings.max_wait_seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """Whether somebody still waits for the answer."""

    request: Request

    async def ended(self) -> bool:
        return self.request.app.state.draining or await self.request.is_disconnected()


def patience_of(request: Request) -> Callable[[], Awaitable[bool]]:
    return Patience(request).ended


Flows = Annotated[ProcessorFlows, Depends(flows_of)]
VerifiedCaller = Annotated[Caller, Depends(verified_caller)]
Owner = Annotated[str, Depends(owner_of)]
JobId = Annotated[
    str,
    Path(
        description="The id that the client chose, or that the answer to its submit named.",
        json_schema_extra={"pattern": f"^{PROCESSING_ID_PATTERN}$"},
    ),
]
WaitSeconds = Annotated[int, Depends(wait_of)]
Prefer = Annotated[Preference, Depends(preference_of)]
NoMore = Annotated[Callable[[], Awaitable[bool]], Depends(patience_of)]
