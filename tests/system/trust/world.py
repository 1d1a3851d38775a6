"""Two auths and three processors, and between each of them and its stores a link that a test may stop or cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.welcome import DEMO_USERS
from shared import clock
from shared.testing.instances import Instance
from shared.testing.stack import Stack
from tests.support.link import Link
from tests.support.tokens_in_use import ACCEPTED, NO_ANSWER, UNKNOWN, TokenInUse, in_use

PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class World:
    """`bound` is the published promise in seconds. The first auth is the issuer; the second is just as good.

    `auth_redis` and `auth_aws` are the first auth's links, `redis` and `aws` those of the processors; the second auth
    has none.
    """

    stack: Stack
    auth_redis: Link
    auth_aws: Link
    redis: Link
    aws: Link
    http: httpx.AsyncClient
    bound: float

    @property
    def auths(self) -> list[Instance]:
        return self.stack.of_kind("auth")[:2]

    @property
    def processors(self) -> list[str]:
        return [instance.url for instance in self.stack.of_kind("processor")]

    async def token(self, username: str = "testuser", *, auth: str | None = None) -> str:
        url = auth or self.stack.auth_url
        body = {"username": username, "password": DEMO_USERS[username]}
        response = await self.http.post(url + "/api/login", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["token"])

    async def revoke(self, token: str, *, auth: str | None = None) -> httpx.Response:
        """This one token, by whoever holds it."""
        return await self.http.post((auth or self.stack.auth_url) + "/oauth2/revoke", data={"token": token})

    async def post(self, path: str, token: str, json: object = None, *, auth: str | None = None) -> httpx.Response:
        return await self.http.post((auth or self.stack.auth_url) + path, headers=bearer(token), json=json)

    @asynccontextmanager
    async def watching(self, *tokens: str) -> AsyncIterator[tuple[TokenInUse, ...]]:
        """Within: each is used without a pause at each processor, after all of them took the first and the last."""
        async with in_use(self.processors, *tokens) as watched:
            for each in (watched[0], watched[-1]):
                await each.until(ACCEPTED, self.processors, within_seconds=PATIENCE_SECONDS)
            yield watched

    async def everywhere(self, status: int, watched: TokenInUse, *, within_seconds: float = PATIENCE_SECONDS) -> None:
        await watched.until(status, self.processors, within_seconds=within_seconds)

    def holds(self, revoked: TokenInUse, good: TokenInUse, revoked_at: float) -> None:
        """What every test ends with: the age of the last wrong acceptance, and no good token refused."""
        assert revoked.last_accepted() - revoked_at <= self.bound
        assert good.statuses() <= {ACCEPTED, UNKNOWN, NO_ANSWER}
        assert all(use.retry_after for use in (*revoked.uses, *good.uses) if use.status == UNKNOWN)

    async def mend(self) -> None:
        """Everything runs, every link leads where it should, and the news is fresh at every processor."""
        for link in (self.auth_redis, self.auth_aws, self.redis, self.aws):
            link.go_on()
        for server in (self.stack.redis, self.stack.aws, *self.stack.instances):
            server.resume()
            if not server.child.running:
                await server.start()
        await asyncio.gather(*map(self._is_fresh, self.processors))

    async def _is_fresh(self, processor: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.metric(processor, "mayfly_revocation_staleness_seconds") > self.bound:
                await asyncio.sleep(0.05)

    async def metric(self, url: str, name: str) -> float:
        for line in (await self.http.get(url + "/metrics")).text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"{url} shows no {name}")


async def open_world(closing: AsyncExitStack, folder: Path) -> World:
    http = await closing.enter_async_context(httpx.AsyncClient(timeout=20))
    stack = await closing.enter_async_context(Stack(folder, auths=0, processors=0, workers=0))
    auth_redis, redis = [await closing.enter_async_context(Link(stack.redis.url)) for _ in range(2)]
    auth_aws, aws = [await closing.enter_async_context(Link(stack.aws.url)) for _ in range(2)]
    await stack.add("auth", MAYFLY_REDIS_URL=auth_redis.url, MAYFLY_AWS_ENDPOINT_URL=auth_aws.url)
    await stack.add("auth")
    behind_links = {"MAYFLY_REDIS_URL": redis.url, "MAYFLY_AWS_ENDPOINT_URL": aws.url}
    await asyncio.gather(*(stack.add("processor", **behind_links) for _ in range(3)))
    metadata = (await http.get(stack.auth_url + "/.well-known/oauth-authorization-server")).json()
    return World(stack, auth_redis, auth_aws, redis, aws, http, float(metadata["revocation_max_staleness"]))


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def moment() -> float:
    """What a revocation and the uses of a token are dated by."""
    return clock.monotonic()
