import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from services.auth.bootstrap import lay_ground
from services.auth.settings import AuthSettings, BootstrapSettings
from services.auth.stores.clients import Clients
from services.auth.stores.tables import TABLES
from services.auth.stores.users import Users
from shared.clients.aws import open_dynamodb, open_ssm
from shared.settings import SettingsError, load
from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, DEMO_USERS, running

MADE = len(TABLES) + len(DEMO_USERS) + 1  # and the key ring


@pytest.fixture
def ground(new_ground: str) -> str:
    """What other bootstraps of the test work on too."""
    return new_ground


async def test_everything_is_made_once_and_said_in_one_line_each(
    shared_settings: dict[str, Any], table_prefix: str
) -> None:
    settings = load(BootstrapSettings, **shared_settings)
    first, second = await lay_ground(settings), await lay_ground(settings)
    assert len(first) == len(second) == MADE + 2
    assert f"table {table_prefix}users: created" in first
    assert [line for line in second if line.endswith(": created")] == []


async def test_no_private_key_is_left_of_those_that_were_made_for_nothing(shared_settings: dict[str, Any]) -> None:
    settings = load(BootstrapSettings, **shared_settings)
    await asyncio.gather(*(lay_ground(settings) for _ in range(4)))
    assert len(await private_keys(settings)) == 2


async def private_keys(settings: BootstrapSettings) -> list[str]:
    """The names of all that lie in SSM."""
    async with open_ssm(settings) as ssm:
        found = await ssm.get_parameters_by_path(Path=settings.effective_signing_keys_path)
    return [parameter["Name"] for parameter in found["Parameters"]]


async def test_many_bootstraps_at_once_agree_on_one_key_ring(shared_settings: dict[str, Any]) -> None:
    settings = load(BootstrapSettings, **shared_settings)
    all_lines = await asyncio.gather(*(lay_ground(settings) for _ in range(4)))
    created = [line for lines in all_lines for line in lines if line.endswith(": created")]
    assert len(created) == MADE
    auths = [load(AuthSettings, **shared_settings) for _ in range(2)]
    async with running(auths[0]) as one, running(auths[1]) as other:
        await one.until_it_signs()
        await other.until_it_signs()
        for username, password in DEMO_USERS:
            assert await other.accepts((await one.login(username, password))["token"])
        assert (await one.client_token()).status_code == 200


async def test_a_password_that_was_changed_stays_changed(shared_settings: dict[str, Any]) -> None:
    settings = load(BootstrapSettings, **shared_settings)
    await lay_ground(settings)
    key = {"username": {"S": "testuser"}}
    async with open_dynamodb(settings) as dynamodb:
        users = f"{settings.table_prefix}users"
        await dynamodb.update_item(
            TableName=users,
            Key=key,
            UpdateExpression="SET password_hash = :hash",
            ExpressionAttributeValues={":hash": {"S": "changed"}},
        )
        await lay_ground(settings)
        row = (await dynamodb.get_item(TableName=users, Key=key))["Item"]
    assert row["password_hash"]["S"] == "changed"


async def test_private_keys_do_not_lie_where_settings_are_read(shared_settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="would read the keys"):
        load(BootstrapSettings, **shared_settings, ssm_prefix="/mayfly/prod/", signing_keys_path="/mayfly/prod")


async def test_outside_local_mode_a_key_ring_is_made_where_the_settings_say(
    shared_settings: dict[str, Any], aws_endpoint_url: str, monkeypatch: pytest.MonkeyPatch, table_prefix: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint_url)
    path = f"/mayfly/{table_prefix}prod/signing-keys"
    ours = {"mode": "production", "aws_endpoint_url": None, "signing_keys_path": path}
    lines = await lay_ground(load(BootstrapSettings, **{**shared_settings, **ours}))
    assert lines[-1] == "key ring (ES256): created"


async def test_outside_local_mode_only_tables_are_made(
    shared_settings: dict[str, Any], aws_endpoint_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Production takes no emulator's address by a setting of ours; boto3's own variable stands for real AWS here."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint_url)
    settings = load(BootstrapSettings, **{**shared_settings, "mode": "production", "aws_endpoint_url": None})
    lines = await lay_ground(settings)
    assert [line.split()[0] for line in lines] == ["table"] * len(TABLES)
    async with open_dynamodb(settings) as dynamodb:
        for table in ("users", "clients"):
            assert (await dynamodb.scan(TableName=settings.table_prefix + table))["Items"] == []


async def test_the_tables_are_what_the_design_says(shared_settings: dict[str, Any]) -> None:
    settings = load(BootstrapSettings, **shared_settings)
    await lay_ground(settings)
    async with open_dynamodb(settings) as dynamodb:
        for table in ("users", "sessions", "clients", "revocations", "revocation-log"):
            name = settings.table_prefix + table
            description = (await dynamodb.describe_table(TableName=name))["Table"]
            assert description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
            ttl = (await dynamodb.describe_time_to_live(TableName=name))["TimeToLiveDescription"]
            expires = table in {"sessions", "revocations", "revocation-log"}
            assert ttl.get("AttributeName") == ("expires_at" if expires else None)
            backups = (await dynamodb.describe_continuous_backups(TableName=name))["ContinuousBackupsDescription"]
            recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
            assert recovery == "ENABLED"


async def test_no_secret_is_printed(shared_settings: dict[str, Any]) -> None:
    lines = " ".join(await lay_ground(load(BootstrapSettings, **shared_settings)))
    for secret in ("PRIVATE", DEMO_CLIENT[1], *(password for _, password in DEMO_USERS)):
        assert secret not in lines


async def test_the_docs_pages_that_are_named_may_log_in(shared_settings: dict[str, Any]) -> None:
    settings = load(BootstrapSettings, **shared_settings, docs_origins="https://jobs.example, https://gate.example/")
    await lay_ground(settings)
    async with open_dynamodb(settings) as dynamodb:
        docs = await Clients(dynamodb, settings.table_prefix).get("mayfly-docs")
    assert docs is not None
    assert docs.is_public
    assert docs.redirect_uris == (
        "http://auth.test/docs/oauth2-redirect",
        "https://jobs.example/docs/oauth2-redirect",
        "https://gate.example/docs/oauth2-redirect",
    )


REPORTS = {
    "client_id": "reports",
    "name": "Reports",
    "grant_types": ["client_credentials"],
    "scope": "jobs:read",
    "secrets": ["a-secret-of-thirty-two-letters-or-more"],
}


def _stating(shared_settings: dict[str, Any], *clients: object) -> BootstrapSettings:
    return load(BootstrapSettings, **shared_settings, clients=json.dumps(clients))


async def test_the_clients_of_the_settings_are_registered_as_they_state(
    make_settings: MakeSettings, shared_settings: dict[str, Any]
) -> None:
    old, new = REPORTS["secrets"][0], "another-secret-of-thirty-two-letters"
    form = {"grant_type": "client_credentials"}
    async with running(make_settings()) as auth:
        for secrets in ([old], [old, new], [new]):
            for _ in range(2):
                await lay_ground(_stating(shared_settings, REPORTS | {"secrets": secrets}))
        assert (await auth.http.post("/oauth2/token", data=form, auth=("reports", new))).status_code == 200
        assert (await auth.http.post("/oauth2/token", data=form, auth=("reports", old))).status_code == 401


async def test_a_secret_that_an_administrator_gave_outlives_the_bootstrap(
    make_settings: MakeSettings, shared_settings: dict[str, Any]
) -> None:
    await lay_ground(_stating(shared_settings, REPORTS))
    async with running(make_settings()) as auth:
        admin = (await auth.login("admin", "admin-demo-only"))["token"]
        added = (await auth.post("/api/clients/reports/secrets", admin)).json()
        await lay_ground(_stating(shared_settings, REPORTS | {"name": "Renamed"}))
        client = (await auth.get("/api/clients/reports", admin)).json()
    assert client["name"] == "Renamed"
    assert added["secret_id"] in [secret["secret_id"] for secret in client["secrets"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client_id": "user_alice"}, "0.client_id"),
        ({"client_id": "mayfly-login"}, "built in"),
        ({"secrets": ["short-secret"]}, "0.secrets.0"),
        ({"secrets": []}, "at least one"),
        ({"scope": "everything"}, "0.scope"),
        ({"redirect_uris": ["https://app.example/"]}, "/redirect_uris"),
        ({"unknown": 1}, "0.unknown"),
    ],
)
async def test_a_client_that_is_not_stated_as_it_should_be_ends_the_bootstrap_with_one_line(
    shared_settings: dict[str, Any], change: dict[str, object], said: str
) -> None:
    with pytest.raises(SettingsError, match="MAYFLY_CLIENTS") as caught:
        await lay_ground(_stating(shared_settings, REPORTS | change))
    assert said in str(caught.value)
    assert "short-secret" not in str(caught.value)


async def test_clients_that_are_no_json_end_the_bootstrap_too(shared_settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="MAYFLY_CLIENTS"):
        await lay_ground(load(BootstrapSettings, **shared_settings, clients="secret=x"))


async def _admin_of(settings: BootstrapSettings) -> list[str]:
    return [line for line in await lay_ground(settings) if line.startswith("first administrator")]


def _production(shared_settings: dict[str, Any], **more: object) -> BootstrapSettings:
    first = {"first_admin_username": "Root", "first_admin_password": "a lamp on the stairs"}
    given = {**shared_settings, "mode": "production", "aws_endpoint_url": None, **first, **more}
    return load(BootstrapSettings, **given)


async def test_the_first_administrator_is_made_once_and_does_not_come_back(
    shared_settings: dict[str, Any], aws_endpoint_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint_url)
    settings = _production(shared_settings)
    assert await _admin_of(settings) == ["first administrator: created"]
    async with open_dynamodb(settings) as dynamodb:
        users = Users(dynamodb, settings.table_prefix)
        first = await users.get("root")
        assert first is not None
        assert (first.roles, first.is_active_admin) == (("user", "admin"), True)
        assert await users.add(replace(first, user_id="user_second", username="second"))
        assert await users.delete(first)
        assert await _admin_of(settings) == ["first administrator: there already"]
        assert await users.get("root") is None


async def test_a_first_administrator_with_a_bad_password_is_refused(
    shared_settings: dict[str, Any], aws_endpoint_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint_url)
    with pytest.raises(SettingsError, match="MAYFLY_FIRST_ADMIN_PASSWORD") as caught:
        await lay_ground(_production(shared_settings, first_admin_password="password1"))
    assert "password1" not in str(caught.value)
