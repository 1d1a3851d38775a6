"""The ground that the processor stands on."""

import asyncio
import json

from services.processor.bootstrap import bootstrap
from services.processor.context_keys import load_context_issuer
from services.processor.resources import open_stores
from services.processor.settings import ProcessorSettings
from services.processor.stores.job_keys import OPEN_BY_OWNER, OPEN_JOBS
from shared.clients.aws import open_ssm
from shared.settings import load
from tests.service.processor.conftest import MakeSettings
from tests.support.names import unique_name


async def test_it_may_be_laid_any_number_of_times_at_once_too(make_settings: MakeSettings) -> None:
    settings = make_settings()
    await asyncio.gather(*(bootstrap(settings) for _ in range(3)))


async def test_a_table_of_an_earlier_version_gets_the_indexes_that_it_lacks(make_settings: MakeSettings) -> None:
    settings = make_settings()
    async with open_stores(settings) as stores:

        async def indexes() -> set[str]:
            found = await stores.dynamodb.describe_table(TableName=stores.jobs.table)
            return {each["IndexName"] for each in found["Table"].get("GlobalSecondaryIndexes", [])}

        made = await indexes()
        for name in (OPEN_BY_OWNER, OPEN_JOBS):
            await stores.dynamodb.update_table(
                TableName=stores.jobs.table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}]
            )
        assert await indexes() < made
        await asyncio.gather(*(bootstrap(settings) for _ in range(3)))
        assert await indexes() == made


async def test_messages_that_fail_too_often_go_to_the_dead_letter_queue(make_settings: MakeSettings) -> None:
    settings = make_settings(max_receive_count=7)
    await bootstrap(settings)
    async with open_stores(settings) as stores:
        queue = stores.queue
        found = await queue.sqs.get_queue_attributes(QueueUrl=await queue.url.get(), AttributeNames=["RedrivePolicy"])
        policy = json.loads(found["Attributes"]["RedrivePolicy"])
        assert int(policy["maxReceiveCount"]) == 7
        assert policy["deadLetterTargetArn"].endswith(f":{settings.dead_letter_queue_name}")


async def test_nothing_is_kept_for_ever(make_settings: MakeSettings) -> None:
    settings = make_settings(job_retention_days=9)
    await bootstrap(settings)
    async with open_stores(settings) as stores:
        rules = (await stores.s3.get_bucket_lifecycle_configuration(Bucket=settings.bucket))["Rules"]
        assert {(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules} == {
            ("inputs/", 9),
            ("jobs/", 9),
        }
        ttl = await stores.dynamodb.describe_time_to_live(TableName=stores.jobs.table)
        assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires_at"


async def test_the_key_of_contexts_is_made_once_and_read_with_the_other_settings(make_settings: MakeSettings) -> None:
    settings = make_settings(context_key=None, ssm_prefix=f"/{unique_name('settings')}/")
    await asyncio.gather(*(bootstrap(settings) for _ in range(2)))
    where = {name: getattr(settings, name) for name in ("ssm_prefix", "aws_endpoint_url")}
    credentials = {name: getattr(settings, name) for name in ("aws_access_key_id", "aws_secret_access_key")}

    async def kid() -> str:
        read = await asyncio.to_thread(lambda: load(ProcessorSettings, **where, **credentials))
        return load_context_issuer(read).key.kid

    made = await kid()
    await bootstrap(settings)
    assert await kid() == made
    async with open_ssm(settings) as ssm:
        found = await ssm.get_parameter(Name=f"{settings.ssm_prefix}context_key")
    assert found["Parameter"]["Type"] == "SecureString"
    assert "PRIVATE" not in found["Parameter"]["Value"]


async def test_outside_local_mode_no_key_is_made(make_settings: MakeSettings) -> None:
    settings = make_settings(context_key=None, ssm_prefix=f"/{unique_name('settings')}/")
    await bootstrap(settings.model_copy(update={"mode": "production"}))
    async with open_ssm(settings) as ssm:
        assert (await ssm.get_parameters_by_path(Path=f"{settings.ssm_prefix}"))["Parameters"] == []
