"""What keeps a job exact is needed: without it, one of the tests that hold the promise turns red.

Each safety is taken out of every AWS call on its way (or, the request's hash, out of the request).
"""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiobotocore import client as aws_client

from services.processor.domain.job_names import JobRequest
from tests.service.processor import test_giving_up, test_outages, test_submit, test_survival
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.running import Processor

Change = Callable[[str, dict[str, Any]], None]
Test = Callable[..., Coroutine[Any, Any, None]]


def without_if_none_match(operation: str, request: dict[str, Any]) -> None:
    if operation == "PutObject":
        request.pop("IfNoneMatch", None)


def without_if_match(operation: str, request: dict[str, Any]) -> None:
    if operation == "GetObject":
        request.pop("IfMatch", None)


def without_the_fence(operation: str, request: dict[str, Any]) -> None:
    if operation == "UpdateItem":
        _leave_out(request, "fence = :fence AND ", ":fence")


def without_the_lease(operation: str, request: dict[str, Any]) -> None:
    if operation == "UpdateItem":
        _leave_out(request, " AND (attribute_not_exists(lease_until_ms) OR lease_until_ms <= :now)", ":now")


def without_the_claim(operation: str, request: dict[str, Any]) -> None:
    if operation == "PutItem":
        request.pop("ConditionExpression", None)
        request.pop("ReturnValuesOnConditionCheckFailure", None)


def _leave_out(request: dict[str, Any], words: str, value: str) -> None:
    """DynamoDB refuses a value that no expression names."""
    request["ConditionExpression"] = request["ConditionExpression"].replace(words, "")
    if value not in request["ConditionExpression"] + request["UpdateExpression"]:
        request["ExpressionAttributeValues"].pop(value, None)


@pytest.fixture
def change_calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], list[str]]:
    """Every AWS call of this process is changed so; gives the names of those that were."""
    base: Any = aws_client.AioBaseClient
    send = base._make_api_call

    def begin(change: Change) -> list[str]:
        changed: list[str] = []

        async def send_changed(client: object, operation: str, request: dict[str, Any]) -> object:
            before = repr(request)
            change(operation, request)
            if repr(request) != before:
                changed.append(operation)
            return await send(client, operation, request)

        monkeypatch.setattr(base, "_make_api_call", send_changed)
        return changed

    return begin


@pytest.mark.parametrize(
    ("change", "test"),
    [
        (without_if_none_match, test_survival.test_whoever_commits_second_adopts_the_first_manifest),
        (without_if_match, test_outages.test_an_object_that_is_replaced_while_the_job_runs_fails_it_by_name),
        (without_the_fence, test_survival.test_a_zombie_can_not_record_a_part_that_its_heir_works_on),
        (without_the_fence, test_giving_up.test_a_zombie_can_not_fail_a_job_whose_part_was_taken_over),
        (without_the_lease, test_survival.test_a_long_part_keeps_its_lease_by_heartbeats),
        (without_the_lease, test_survival.test_a_job_that_somebody_plans_is_left_to_them),
    ],
)
async def test_without_it_a_test_turns_red(
    change: Change, test: Test, make_settings: MakeSettings, change_calls: Callable[[Change], list[str]]
) -> None:
    more = {"is_joined": False} if "is_joined" in inspect.signature(test).parameters else {}
    changed = change_calls(change)
    with pytest.raises(AssertionError):
        await test(make_settings, **more)
    assert changed, "nothing was taken out"


async def test_without_the_claim_two_requests_of_one_id_are_no_conflict(
    idle_processor: Processor, change_calls: Callable[[Change], list[str]]
) -> None:
    assert change_calls(without_the_claim) == []
    with pytest.raises(AssertionError):
        await test_submit.test_another_request_of_the_same_id_is_a_conflict(idle_processor)


async def test_without_the_hash_of_the_request_two_of_one_id_are_no_conflict(
    idle_processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobRequest, "fingerprint", "0" * 64)
    with pytest.raises(AssertionError):
        await test_submit.test_another_request_of_the_same_id_is_a_conflict(idle_processor)
