"""`python -m services.auth.bootstrap`: tables, the key ring, clients, the first administrator, demo users (local mode).

Doing it again, or twice at once, changes nothing.
"""

import asyncio
import sys

from pydantic import TypeAdapter, ValidationError

from services.auth.domain.client_secrets import stated_secret
from services.auth.domain.clients import Client
from services.auth.domain.grant_types import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE
from services.auth.domain.key_ring import KeyRing, RingKey
from services.auth.domain.password_policy import flaws
from services.auth.domain.users import SCOPES, User, flaw_of_username, fold_username
from services.auth.flows.ensure_client import EnsureClient
from services.auth.passwords import Passwords
from services.auth.routes.client_bodies import StatedClient
from services.auth.settings import BootstrapSettings
from services.auth.stores.clients import Clients
from services.auth.stores.key_rings import KeyRings
from services.auth.stores.private_keys import PrivateKeys
from services.auth.stores.tables import TABLES, Table, create_table
from services.auth.stores.users import Users
from shared import clock
from shared.clients.aws import open_dynamodb, open_ssm
from shared.clients.aws_types import DynamoDBClient
from shared.clients.patience import patiently
from shared.errors import Problem, ValidationFailed
from shared.ids import new_id
from shared.settings import SettingsError, load
from shared.tokens.pem_keys import build_named_key, generate_pem
from shared.web.docs_client import CLIENT_ID, REDIRECT_PATH

# Published in the documentation, and made in local mode only.
_DEMO_USERS = {"testuser": "testpass", "alice": "wonderland-demo", "admin": "admin-demo-only"}
_PATIENCE_SECONDS = 60  # an emulator that has only just started loads its services at their first call
_STATED_CLIENTS = TypeAdapter(list[StatedClient])
_DEMO_CLIENT = "demo-service"
_DEMO_SECRET = "demo-service-secret-local-only"  # noqa: S105 - as said above


async def lay_ground(settings: BootstrapSettings) -> list[str]:
    """Make what is missing; one line for each thing.

    Raises:
        SettingsError: a client or the first administrator is not stated as it should be.
        Unavailable: DynamoDB or SSM does not answer.
    """
    async with open_dynamodb(settings) as dynamodb:
        lines = await asyncio.gather(*(_table(dynamodb, settings.table_prefix, table) for table in TABLES))
        ensure = EnsureClient(Clients(dynamodb, settings.table_prefix))
        lines += await asyncio.gather(*(_client(ensure, client) for client in _clients(settings)))
        if settings.effective_signing_keys_path is not None:
            lines.append(await _key_ring(dynamodb, settings, settings.effective_signing_keys_path))
        lines += await _users(dynamodb, settings)
    return lines


async def _table(dynamodb: DynamoDBClient, prefix: str, table: Table) -> str:
    return _line(f"table {prefix}{table.name}", created=await create_table(dynamodb, prefix, table))


async def _client(ensure: EnsureClient, client: Client) -> str:
    await ensure(client)
    return f"client {client.client_id}: ready"


def _clients(settings: BootstrapSettings) -> list[Client]:
    docs_pages = [_docs_client(settings)] if settings.effective_docs_origins else []
    demo = [_demo_client()] if settings.mode == "local" else []
    return [*docs_pages, *demo, *_stated_clients(settings)]


async def _key_ring(dynamodb: DynamoDBClient, settings: BootstrapSettings, path: str) -> str:
    """One key that signs and one that will; of several who make them at once, one's keys are taken."""
    rings, what = KeyRings(dynamodb, settings.table_prefix), f"key ring ({settings.signing_algorithm})"
    if await rings.load() is not None:
        return _line(what, created=False)
    async with open_ssm(settings) as ssm:
        private_keys = PrivateKeys(ssm, path)
        first, following = await asyncio.gather(*(_key(private_keys, settings) for _ in range(2)))
        created = await rings.begin(KeyRing.begin(first, following))
        ring = await rings.load()
        for key in (first, following):
            if ring is not None and key.kid not in {known.kid for known in ring.keys}:
                await private_keys.delete(key.kid)
    return _line(what, created=created)


async def _key(private_keys: PrivateKeys, settings: BootstrapSettings) -> RingKey:
    pem = await asyncio.to_thread(generate_pem, settings.signing_algorithm)
    key = build_named_key(pem, settings.signing_algorithm)
    await private_keys.add(key.kid, pem)
    # An auth that looks after the ring says how long its tokens live.
    return RingKey(key.kid, key.alg, key.public_jwk, int(clock.now() * 1000), longest_token_seconds=0)


def _demo_client() -> Client:
    return Client(
        client_id=_DEMO_CLIENT,
        name="A program that works by itself",
        secrets=(stated_secret(_DEMO_SECRET),),
        auth_method="client_secret_post",
        grant_types=frozenset({CLIENT_CREDENTIALS, TOKEN_EXCHANGE}),
        redirect_uris=(),
        scope=frozenset({"jobs:read", "jobs:write"}),
        created_at=0,
        may_introspect=True,
    )


def _stated_clients(settings: BootstrapSettings) -> list[Client]:
    """Raises SettingsError: one line that names what is wrong, and quotes none of it."""
    if settings.clients is None:
        return []
    try:
        stated = _STATED_CLIENTS.validate_json(settings.clients.get_secret_value())
        return [each.client for each in stated]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the list"
        reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
    except ValidationFailed as problem:
        reason = problem.detail
    raise SettingsError(f"MAYFLY_CLIENTS: {reason}")


def _docs_client(settings: BootstrapSettings) -> Client:
    """The docs pages that the settings name, and auth's own."""
    origins = (settings.issuer, *settings.effective_docs_origins)
    return Client(
        client_id=CLIENT_ID,
        name="Mayfly docs page",
        secrets=(),
        auth_method="none",
        grant_types=frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN}),
        redirect_uris=tuple(dict.fromkeys(origin + REDIRECT_PATH for origin in origins)),
        scope=frozenset(SCOPES),
        created_at=0,
    )


async def _users(dynamodb: DynamoDBClient, settings: BootstrapSettings) -> list[str]:
    users = Users(dynamodb, settings.table_prefix)
    passwords = Passwords(
        memory_kib=settings.password_memory_kib, iterations=settings.password_iterations, threads=1, queue=0
    )
    try:
        demo = _DEMO_USERS.items() if settings.mode == "local" else ()
        lines = [await _demo_user(users, passwords, name, password) for name, password in demo]
        return [*lines, *await _first_admin(users, passwords, settings)]
    finally:
        passwords.close()


async def _demo_user(users: Users, passwords: Passwords, name: str, password: str) -> str:
    roles = ("user", "admin") if name == "admin" else ("user",)
    created = await _make(users, passwords, f"user_{name}", name, password, roles)
    return _line(f"demo user {name}", created=created)


async def _first_admin(users: Users, passwords: Passwords, settings: BootstrapSettings) -> list[str]:
    """Only where nobody administers. The last administrator can't go, so this one does not come back by itself."""
    name, secret = settings.first_admin_username, settings.first_admin_password
    if name is None or secret is None:
        return []
    if await users.have_admin():
        return [_line("first administrator", created=False)]
    found = [flaw for flaw in (flaw_of_username(name), *flaws(secret.get_secret_value(), fold_username(name))) if flaw]
    if found:
        raise SettingsError(f"MAYFLY_FIRST_ADMIN_USERNAME and MAYFLY_FIRST_ADMIN_PASSWORD: {'; '.join(found)}")
    created = await _make(users, passwords, new_id("user"), name, secret.get_secret_value(), ("user", "admin"))
    return [_line("first administrator", created=created)]


async def _make(  # noqa: PLR0917 - what a user is made of
    users: Users, passwords: Passwords, user_id: str, name: str, password: str, roles: tuple[str, ...]
) -> bool:
    """False: there is one of this name."""
    username, now_ms = fold_username(name), int(clock.now() * 1000)
    if await users.get(username) is not None:
        return False
    password_hash = await passwords.hash(password)
    user = User(user_id, username, password_hash, roles, ("read", "write"), created_at_ms=now_ms, changed_at_ms=now_ms)
    return await users.add(user)


def _line(what: str, *, created: bool) -> str:
    return f"{what}: {'created' if created else 'there already'}"


def main() -> None:
    """Exit code 0, or 1 with one clear line."""
    try:
        settings = load(BootstrapSettings)
        for line in asyncio.run(patiently(lambda: lay_ground(settings), within_seconds=_PATIENCE_SECONDS)):
            sys.stdout.write(line + "\n")
    except SettingsError as error:
        sys.exit(f"mayfly: {error}")
    except Problem as problem:
        sys.exit(f"mayfly: {problem.detail}")


if __name__ == "__main__":
    main()
