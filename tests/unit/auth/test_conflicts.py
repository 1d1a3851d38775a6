from typing import Any

import pytest
from botocore.exceptions import ClientError

from services.auth.stores.conflicts import past_conflicts
from shared.errors import Unavailable


def _error(code: str, *reasons: str) -> ClientError:
    response: Any = {"Error": {"Code": code}, "CancellationReasons": [{"Code": reason} for reason in reasons]}
    return ClientError(response, "TransactWriteItems")


class Step:
    """Fails with these errors, one after the other, then answers."""

    def __init__(self, *errors: ClientError) -> None:
        self.errors = list(errors)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.parametrize(
    "conflict",
    [
        _error("TransactionConflictException"),
        _error("TransactionInProgressException"),
        _error("TransactionCanceledException", "None", "TransactionConflict"),
    ],
)
async def test_a_step_that_met_a_transaction_is_done_again(conflict: ClientError) -> None:
    step = Step(conflict, conflict)
    assert await past_conflicts(step) == "done"
    assert step.tries == 3


async def test_a_conflict_that_stays_is_an_outage() -> None:
    with pytest.raises(Unavailable):
        await past_conflicts(Step(*[_error("TransactionConflictException")] * 9))


@pytest.mark.parametrize(
    "error",
    [
        _error("ConditionalCheckFailedException"),
        _error("TransactionCanceledException", "ConditionalCheckFailed", "None"),
        _error("TransactionCanceledException", "ConditionalCheckFailed", "TransactionConflict"),
        _error("ValidationException"),
    ],
)
async def test_any_other_error_is_the_callers(error: ClientError) -> None:
    step = Step(error)
    with pytest.raises(ClientError):
        await past_conflicts(step)
    assert step.tries == 1
