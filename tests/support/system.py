"""The system under test: started here as child processes, or a compose stack that runs already."""

from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.welcome import DEMO_USERS


class SystemSettings(BaseSettings):
    """MAYFLY_TEST_STACK=compose tests a running compose stack through its gateway, MAYFLY_TEST_GATEWAY_URL."""

    model_config = SettingsConfigDict(env_prefix="MAYFLY_TEST_")

    stack: Literal["embedded", "compose"] = "embedded"
    gateway_url: str = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class System:
    """Where a client finds the two services. Behind a gateway both have the same address."""

    auth_url: str
    processor_url: str

    async def login(self, username: str = "testuser") -> httpx.Response:
        """A demo user's login, as the route answered it."""
        async with httpx.AsyncClient(base_url=self.auth_url) as client:
            return await client.post("/api/login", json={"username": username, "password": DEMO_USERS[username]})

    async def token(self, username: str = "testuser") -> str:
        """A new access token of a demo user."""
        answer = await self.login(username)
        answer.raise_for_status()
        token: str = answer.json()["token"]
        return token
