"""`python -m services.processor.bootstrap`: makes table, bucket, queues, bus, and the key of contexts (local mode).

What is there is left as it is: it may be run any number of times, at once too.
"""

import asyncio
import json
import sys
from typing import Any

from botocore.exceptions import ClientError

from services.processor.context_keys import ALGORITHM
from services.processor.domain.trigger_events import INPUTS
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_keys import BY_OWNER, OPEN_BY_OWNER, OPEN_JOBS, OUTBOX, TABLE
from services.processor.stores.schedule_rules import RULE_PREFIX
from shared.clients.aws import aws_errors, error_code, open_dynamodb, open_events, open_s3, open_sqs, open_ssm
from shared.clients.aws_types import DynamoDBClient, S3Client, SQSClient
from shared.clients.patience import patiently
from shared.errors import Problem
from shared.settings import SettingsError, load
from shared.telemetry.logs import configure_logs, get_logger
from shared.tokens.pem_keys import generate_pem

log = get_logger(__name__)

_ENDED_JOB = [
    *("processing_id", "state", "submitted_at_ms", "result_location", "error"),
    *("records_in", "records_out", "records_rejected", "bytes_in", "bytes_out", "job_attempts"),
]
_OPEN_JOB = ["submitted_at_ms"]
_TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "owner", "AttributeType": "S"},
        {"AttributeName": "listing", "AttributeType": "S"},
        {"AttributeName": "open_shard", "AttributeType": "S"},
        {"AttributeName": "sweep_at_ms", "AttributeType": "N"},
        {"AttributeName": "open_owner", "AttributeType": "S"},
        {"AttributeName": "outbox_shard", "AttributeType": "S"},
        {"AttributeName": "finished_at_ms", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_OWNER,
            "KeySchema": [
                {"AttributeName": "owner", "KeyType": "HASH"},
                {"AttributeName": "listing", "KeyType": "RANGE"},
            ],
            "Projection": {
                "ProjectionType": "INCLUDE",
                "NonKeyAttributes": ["finished_at_ms", *_ENDED_JOB],
            },
        },
        {
            "IndexName": OPEN_JOBS,
            "KeySchema": [
                {"AttributeName": "open_shard", "KeyType": "HASH"},
                {"AttributeName": "sweep_at_ms", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": _OPEN_JOB},
        },
        {
            "IndexName": OPEN_BY_OWNER,
            "KeySchema": [
                {"AttributeName": "open_owner", "KeyType": "HASH"},
                {"AttributeName": "listing", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "plan_bytes_in"]},
        },
        {
            "IndexName": OUTBOX,
            "KeySchema": [
                {"AttributeName": "outbox_shard", "KeyType": "HASH"},
                {"AttributeName": "finished_at_ms", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": _ENDED_JOB},
        },
    ],
}
_ENCRYPTION: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
_PRIVATE: Any = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_EXISTS = {
    "ResourceInUseException",
    "ResourceAlreadyExistsException",
    "BucketAlreadyOwnedByYou",
    "ParameterAlreadyExists",
}
_DEAD_LETTER_SECONDS = 14 * 86_400
_PATIENCE_SECONDS = 60  # an emulator that has only just started loads its services at their first call
_NOTIFICATION = "mayfly-triggers"
_MESSAGE_SECONDS = 4 * 86_400


async def bootstrap(settings: ProcessorSettings) -> None:
    """Make what is missing.

    Raises:
        Unavailable: one of the AWS services does not answer.
    """
    async with open_dynamodb(settings) as dynamodb, open_s3(settings) as s3, open_sqs(settings) as sqs:
        await _make_table(dynamodb, settings.table_prefix + TABLE)
        await _make_bucket(s3, settings)
        await _make_queues(sqs, settings)
        if settings.trigger_queue_name is not None:
            await _make_trigger_queue(sqs, s3, settings, settings.trigger_queue_name)
    if settings.event_bus not in {None, "default"}:
        await _make_bus(settings)
    if settings.mode == "local" and settings.ssm_prefix and settings.context_key is None:
        await _make_context_key(settings, settings.ssm_prefix)
    log.info("bootstrap_done", table=settings.table_prefix + TABLE, bucket=settings.bucket, queue=settings.queue_name)


async def _make_table(dynamodb: DynamoDBClient, table: str) -> None:
    with aws_errors("DynamoDB"):
        try:
            await dynamodb.create_table(TableName=table, **_TABLE)
        except ClientError as error:
            if error_code(error) not in _EXISTS:
                raise
        await dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        await _make_missing_indexes(dynamodb, table)
        ttl = (await dynamodb.describe_time_to_live(TableName=table))["TimeToLiveDescription"]
        if ttl.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
            await dynamodb.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
            )


async def _make_missing_indexes(dynamodb: DynamoDBClient, table: str) -> None:
    """A table of an earlier version has fewer. DynamoDB makes one at a time, in the background."""
    for index in _TABLE["GlobalSecondaryIndexes"]:
        name = index["IndexName"]
        while name not in (states := await _indexes(dynamodb, table)):
            if set(states.values()) <= {"ACTIVE"}:
                await _make_index(dynamodb, table, index)
            else:
                await asyncio.sleep(1)


async def _make_index(dynamodb: DynamoDBClient, table: str, index: Any) -> None:  # noqa: ANN401 - the client's own type
    attributes: Any = _TABLE["AttributeDefinitions"]
    update: Any = [{"Create": index}]
    try:
        await dynamodb.update_table(
            TableName=table, AttributeDefinitions=attributes, GlobalSecondaryIndexUpdates=update
        )
    except ClientError:
        if index["IndexName"] not in await _indexes(dynamodb, table):  # else another bootstrap was faster
            raise
    log.info("index_made", table=table, index=index["IndexName"])


async def _indexes(dynamodb: DynamoDBClient, table: str) -> dict[str, str]:
    """Their states, by name."""
    found = (await dynamodb.describe_table(TableName=table))["Table"].get("GlobalSecondaryIndexes", [])
    return {each["IndexName"]: each["IndexStatus"] for each in found}


async def _make_bucket(s3: S3Client, settings: ProcessorSettings) -> None:
    bucket = settings.bucket
    elsewhere: Any = {"CreateBucketConfiguration": {"LocationConstraint": settings.aws_region}}
    with aws_errors("S3"):
        try:
            await s3.create_bucket(Bucket=bucket, **({} if settings.aws_region == "us-east-1" else elsewhere))
        except ClientError as error:
            if error_code(error) not in _EXISTS:
                raise
        await s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
        await s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=_ENCRYPTION)
        await s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration=_lifecycle(settings.job_retention_days)
        )


def _lifecycle(retention_days: int) -> Any:  # noqa: ANN401 - the client's own type
    """Objects go before the record of their job does, so that no record points into nothing for long."""
    expire = [
        {
            "ID": f"expire-{prefix}",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/"},
            "Expiration": {"Days": retention_days},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
        for prefix in ("inputs", "jobs")
    ]
    return {"Rules": expire}


async def _make_queues(sqs: SQSClient, settings: ProcessorSettings) -> None:
    with aws_errors("SQS"):
        dead = (await sqs.create_queue(QueueName=settings.dead_letter_queue_name))["QueueUrl"]
        await sqs.set_queue_attributes(QueueUrl=dead, Attributes={"MessageRetentionPeriod": str(_DEAD_LETTER_SECONDS)})
    await _make_queue(sqs, settings, settings.queue_name)


async def _make_queue(sqs: SQSClient, settings: ProcessorSettings, name: str, policy: str = "") -> str:
    """A queue whose messages go to the dead-letter queue after so many tries; its ARN."""
    with aws_errors("SQS"):
        dead = (await sqs.get_queue_url(QueueName=settings.dead_letter_queue_name))["QueueUrl"]
        redrive = {"deadLetterTargetArn": await _arn(sqs, dead), "maxReceiveCount": settings.max_receive_count}
        url = (await sqs.create_queue(QueueName=name))["QueueUrl"]
        attributes = {"MessageRetentionPeriod": str(_MESSAGE_SECONDS), "RedrivePolicy": json.dumps(redrive)}
        await sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes | ({"Policy": policy} if policy else {}))  # type: ignore[arg-type]  # names of attributes
        return await _arn(sqs, url)


async def _arn(sqs: SQSClient, url: str) -> str:
    return (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))["Attributes"]["QueueArn"]


async def _make_trigger_queue(sqs: SQSClient, s3: S3Client, settings: ProcessorSettings, name: str) -> None:
    """S3 may write to it, and does for each new object below `inputs/`; so may EventBridge, by our rules.

    The bucket's other notifications stay.
    """
    bucket, rules = f"arn:aws:s3:::{settings.bucket}", f"arn:aws:events:*:*:rule/{RULE_PREFIX}*"
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:SourceArn": source}},
        }
        for service, source in (("s3", bucket), ("events", rules))
    ]
    arn = await _make_queue(sqs, settings, name, json.dumps({"Version": "2012-10-17", "Statement": statements}))
    told: Any = {
        "Id": _NOTIFICATION,
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": INPUTS}]}},
    }
    with aws_errors("S3"):
        found: Any = await s3.get_bucket_notification_configuration(Bucket=settings.bucket)
        found.pop("ResponseMetadata", None)
        others = [each for each in found.get("QueueConfigurations", []) if each.get("Id") != _NOTIFICATION]
        found["QueueConfigurations"] = [*others, told]
        await s3.put_bucket_notification_configuration(Bucket=settings.bucket, NotificationConfiguration=found)


async def _make_bus(settings: ProcessorSettings) -> None:
    async with open_events(settings) as events:
        with aws_errors("EventBridge"):
            try:
                await events.create_event_bus(Name=settings.event_bus)
            except ClientError as error:
                if error_code(error) not in _EXISTS:
                    raise


async def _make_context_key(settings: ProcessorSettings, prefix: str) -> None:
    """Where the processors' settings are read from, so that all have the same one."""
    name, pem = f"{prefix.rstrip('/')}/context_key", generate_pem(ALGORITHM)
    async with open_ssm(settings) as ssm:
        try:
            with aws_errors("SSM"):
                await ssm.put_parameter(Name=name, Value=pem, Type="SecureString", Overwrite=False)
        except ClientError as error:
            if error_code(error) not in _EXISTS:
                raise


def main() -> None:
    try:
        settings = load(ProcessorSettings)
        configure_logs(settings)
        asyncio.run(patiently(lambda: bootstrap(settings), within_seconds=_PATIENCE_SECONDS))
    except (SettingsError, Problem) as error:
        sys.exit(f"mayfly: {error}")


if __name__ == "__main__":
    main()
