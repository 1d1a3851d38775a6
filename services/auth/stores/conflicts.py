"""Writes that others may be in the way of: by what the item has become, or by a transaction that works on it.

DynamoDB refuses to touch an item that a transaction is working on. A moment later it is free.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from shared.clients.aws import aws_errors, error_code
from shared.errors import Unavailable

_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.02
_CONFLICTS = {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
Answer = TypeVar("Answer")


async def past_conflicts(step: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do the step, again if it met a transaction of another request (which then was not done).

    Raises:
        Unavailable: it is still so after some tries.
    """
    for attempt in range(_TRIES):
        try:
            return await step()
        except ClientError as error:
            if not _is_conflict(error):
                raise
        await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise Unavailable("Another request is changing the same. Ask again.")


async def condition_held(write: Callable[[], Awaitable[object]]) -> bool:
    """Do a write, alone or in a transaction, that is made on a condition. False: it did not hold; nothing is written.

    Raises:
        Unavailable: DynamoDB does not answer, or others kept changing the same.
    """
    try:
        with aws_errors("DynamoDB"):
            await past_conflicts(write)
    except ClientError as error:
        if not _condition_failed(error):
            raise
        return False
    return True


def _condition_failed(error: ClientError) -> bool:
    """Whether a write, alone or in a transaction, was refused because its condition did not hold."""
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    return error_code(error) == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in reasons


def _is_conflict(error: ClientError) -> bool:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html."""
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
    if "ConditionalCheckFailed" in reasons:
        return False
    return not _CONFLICTS.isdisjoint({error_code(error), *reasons})
