"""Wrong client secrets: delays for who guesses, and none for the client that is guessed at."""

import httpx
import pytest

from tests.service.auth.conftest import MakeSettings
from tests.service.auth.running import DEMO_CLIENT, Auth, oauth_error, running

FORM = {"grant_type": "client_credentials"}
LIMITS = {"client_attempts_free_per_pair": 3, "client_attempts_free_per_address": 6}


async def _try(auth: Auth, client_id: str, secret: str = "wrong") -> httpx.Response:
    return await auth.http.post("/oauth2/token", data=FORM, auth=(client_id, secret))


async def test_after_some_wrong_secrets_the_same_address_waits(make_settings: MakeSettings) -> None:
    async with running(make_settings(**LIMITS)) as auth:
        assert [(await _try(auth, "demo-service")).status_code for _ in range(3)] == [401] * 3
        refused = await _try(auth, *DEMO_CLIENT)
        assert (refused.status_code, oauth_error(refused)) == (429, "temporarily_unavailable")
        assert int(refused.headers["retry-after"]) >= 1


async def test_unknown_clients_count_for_their_address(make_settings: MakeSettings) -> None:
    async with running(make_settings(**LIMITS)) as auth:
        answers = [(await _try(auth, f"nobody-{number}")).status_code for number in range(8)]
        assert answers == [401] * 6 + [429] * 2


async def test_a_stranger_elsewhere_does_not_lock_a_client_out(make_settings: MakeSettings) -> None:
    async with running(make_settings(**LIMITS)) as auth:
        stranger = httpx.AsyncClient(
            transport=httpx.ASGITransport(auth.app, client=("198.51.100.9", 1)), base_url="http://auth.test"
        )
        async with stranger:
            for _ in range(12):
                await stranger.post("/oauth2/token", data=FORM, auth=("demo-service", "wrong"))
        assert (await _try(auth, *DEMO_CLIENT)).status_code == 200


async def test_a_stranger_behind_the_same_address_does_not_either(make_settings: MakeSettings) -> None:
    async with running(make_settings(**LIMITS)) as auth:
        assert (await _try(auth, *DEMO_CLIENT)).status_code == 200
        answers = [(await _try(auth, "demo-service")).status_code for _ in range(5)]
        assert answers == [401] * 3 + [429] * 2
        assert (await _try(auth, *DEMO_CLIENT)).status_code == 200


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke"])
async def test_every_endpoint_counts(make_settings: MakeSettings, path: str) -> None:
    async with running(make_settings(**LIMITS)) as auth:
        for _ in range(3):
            await auth.http.post(path, data={"token": "x"}, auth=("demo-service", "wrong"))
        assert (await auth.http.post(path, data={"token": "x"}, auth=DEMO_CLIENT)).status_code == 429
