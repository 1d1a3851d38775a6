"""The AWS services by aioboto3, with bounded waits, measured calls, and one meaning for "does not answer"."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any

import aioboto3
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from pydantic import SecretStr

from shared import clock
from shared.clients.aws_types import DynamoDBClient, EventsClient, S3Client, SQSClient, SSMClient
from shared.errors import Unavailable
from shared.settings import SharedSettings
from shared.telemetry.metrics import AWS_ERRORS, AWS_SECONDS

_PASSING = {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"}
_SERVER_ERROR = 500


@asynccontextmanager
async def open_dynamodb(settings: SharedSettings) -> AsyncIterator[DynamoDBClient]:
    async with _open("dynamodb", settings, read_timeout_seconds=2) as client:
        yield client


@asynccontextmanager
async def open_s3(
    settings: SharedSettings, *, endpoint_url: str | None = None, read_timeout_seconds: float = 3
) -> AsyncIterator[S3Client]:
    """S3; `endpoint_url` is for a client that only signs URLs for others, who reach S3 by another address.

    Who moves large objects waits longer for an answer than who answers a request.
    """
    async with _open("s3", settings, read_timeout_seconds=read_timeout_seconds, endpoint_url=endpoint_url) as client:
        yield client


@asynccontextmanager
async def open_sqs(settings: SharedSettings, *, long_poll_seconds: int = 0) -> AsyncIterator[SQSClient]:
    """SQS; a client that receives waits for as long as its polls may take, one that sends does not."""
    async with _open("sqs", settings, read_timeout_seconds=2 + long_poll_seconds) as client:
        yield client


@asynccontextmanager
async def open_events(settings: SharedSettings) -> AsyncIterator[EventsClient]:
    async with _open("events", settings, read_timeout_seconds=2) as client:
        yield client


@asynccontextmanager
async def open_ssm(settings: SharedSettings) -> AsyncIterator[SSMClient]:
    async with _open("ssm", settings, read_timeout_seconds=2) as client:
        yield client


@asynccontextmanager
async def _open(
    service: str, settings: SharedSettings, *, read_timeout_seconds: float, endpoint_url: str | None = None
) -> AsyncIterator[Any]:
    session = _session(settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_region)
    config = AioConfig(
        connect_timeout=1,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=64,
        parameter_validation=False,  # the types are checked before anything runs; looking again doubles a batch's cost
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.aws_endpoint_url else "auto"},
        signature_version="s3v4" if service == "s3" else None,
    )
    endpoint = endpoint_url or settings.aws_endpoint_url
    # An emulator without TLS has no certificate to verify; loading the authorities would stop the loop for 70 ms.
    verify = False if endpoint and endpoint.startswith("http://") else None
    async with session.client(service, endpoint_url=endpoint, config=config, verify=verify) as client:
        _measure(client)
        try:
            yield client
        finally:
            client.meta.events.register("before-send", _refuse)


async def _refuse(**_: object) -> None:
    """A call, or a retry of one, that outlives its client would open connections anew, and nobody would close them."""
    message = "the client is closed"
    raise RuntimeError(message)


@lru_cache(maxsize=4)
def _session(key: SecretStr | None, secret: SecretStr | None, region: str) -> aioboto3.Session:
    """One for all clients of a process: the files that describe the services take longer to read than all else."""
    return aioboto3.Session(
        aws_access_key_id=key.get_secret_value() if key else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        region_name=region,
    )


def _measure(client: Any) -> None:  # noqa: ANN401 - any AWS client
    """Count the calls by botocore's own events: https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html."""
    service = client.meta.service_model.service_id.hyphenize()

    def before(context: dict[str, Any], **_: object) -> None:
        context["mayfly_started"] = clock.monotonic()

    def after(context: dict[str, Any], event_name: str, parsed: dict[str, Any], **_: object) -> None:
        operation = event_name.rsplit(".", 1)[-1]
        AWS_SECONDS.labels(service, operation).observe(clock.monotonic() - context["mayfly_started"])
        code = parsed.get("Error", {}).get("Code")
        if code is not None:
            AWS_ERRORS.labels(service, operation, code).inc()

    def failed(context: dict[str, Any], event_name: str, exception: Exception, **_: object) -> None:
        operation = event_name.rsplit(".", 1)[-1]
        AWS_SECONDS.labels(service, operation).observe(clock.monotonic() - context["mayfly_started"])
        AWS_ERRORS.labels(service, operation, type(exception).__name__).inc()

    client.meta.events.register(f"before-call.{service}", before)
    client.meta.events.register(f"after-call.{service}", after)
    client.meta.events.register(f"after-call-error.{service}", failed)


@contextmanager
def aws_errors(service: str) -> Iterator[None]:
    """Within: no answer, too late an answer, a server's error and throttling are `Unavailable`; other errors pass."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= _SERVER_ERROR or error_code(error) in _PASSING:
            raise _unavailable(service) from error
        raise
    except (NoConnection, HTTPClientError, TimeoutError, OSError) as error:
        raise _unavailable(service) from error


def error_code(error: ClientError) -> str:
    """The AWS error code, such as `ConditionalCheckFailedException` or `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(service: str) -> Unavailable:
    return Unavailable(f"{service} does not answer as it should. Ask again.")
