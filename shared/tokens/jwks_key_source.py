"""The keys that auth publishes, fetched by HTTP and kept for as long as they may be believed."""

import asyncio
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from prometheus_client import Counter, Gauge

from shared import clock
from shared.background import end
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.tokens.keyset import KeySet
from shared.tokens.strict_json import parse_object

AGE = Gauge("mayfly_jwks_age_seconds", "Time since auth's keys were last fetched.")
FETCHES = Counter("mayfly_jwks_fetches_total", "Fetches of auth's keys, by outcome.", ["outcome"])

MAX_BODY_BYTES = 65_536
_FIRST_RETRY_SECONDS = 0.1
_MAX_RETRY_SECONDS = 2.0
_SHORTEST_REFRESH_SECONDS = 1.0
_OUTDATED_RETRY_SECONDS = 0.2
_LONGEST_OUTDATED_SECONDS = 60.0
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)", re.IGNORECASE)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JwksTiming:
    """When keys are fetched. In quiet times that is every `refresh_seconds`, or by a shorter `max-age` of the answer.

    A failure is tried again soon.

    `cooldown_seconds`: how often a token with an unknown `kid` may cause a fetch. `max_age_seconds`: how long a set is
    believed that could not be fetched again.
    """

    refresh_seconds: float = 300
    cooldown_seconds: float = 30
    max_age_seconds: float = 600
    timeout_seconds: float = 1


class JwksKeySource:
    """A `KeySource` that follows a JWKS URL. `start` it, `stop` it; it never fails for good.

    While auth is down, keys that were fetched serve on until `max_age_seconds`. All who need a fetch share one.

    `is_outdated` says of a set whether it is known that it has changed since. Then a `kid` that is not in it may be
    good: it is looked for without a cooldown, and not judged as long as an outdated set is what is fetched.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        *,
        timing: JwksTiming | None = None,
        is_outdated: Callable[[KeySet], bool] = lambda _: False,
        monotonic: clock.Clock = clock.monotonic,
    ) -> None:
        self._http = http
        self._url = url
        self._timing = timing or JwksTiming()
        self._is_outdated = is_outdated
        self._monotonic = monotonic
        self._refresh_seconds = self._timing.refresh_seconds
        self._outdated_since: float | None = None
        self._key_set: KeySet | None = None
        self._fetched_at = -math.inf
        self._failures = 0
        self._look_again_at = -math.inf
        self._fetch: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to fetch. Until the first set has come, `current` says that it is not available."""
        AGE.set_function(self.age)
        self._refreshing = asyncio.create_task(self._refresh_forever())

    async def stop(self) -> None:
        """End what is under way."""
        if self._refreshing is not None:
            await end(self._refreshing)
        if self._fetch is not None:
            await end(self._fetch)

    def age(self) -> float:
        """Seconds since the last good fetch; infinite before the first."""
        return self._monotonic() - self._fetched_at

    def current(self) -> KeySet:
        if self._key_set is None or self.age() > self._timing.max_age_seconds:
            raise _unavailable()
        return self._key_set

    async def look_for(self, kid: str) -> KeySet:
        """Fetches at most once in a cooldown (after a failure: soon again); all who ask meanwhile share that fetch."""
        if self._outdated() and not self._failures:
            self._look_again_at = min(self._look_again_at, self._fetched_at + _OUTDATED_RETRY_SECONDS)
        if self._fetch is not None:
            await self._fetched()
        elif self._monotonic() >= self._look_again_at:
            self._look_again_at = self._monotonic() + self._timing.cooldown_seconds
            log.info("unknown_kid_looked_for", kid=kid)
            await self._fetched()
        if self._failures or (self._outdated() and self.current().find(kid) is None):
            raise _unavailable()
        return self.current()

    def _outdated(self) -> bool:
        """For a while only: a set that stays so is what auth's settings say."""
        if self._key_set is None or not self._is_outdated(self._key_set):
            self._outdated_since = None
            return False
        now = self._monotonic()
        if self._outdated_since is None:
            self._outdated_since = now
        return now - self._outdated_since < _LONGEST_OUTDATED_SECONDS

    async def _refresh_forever(self) -> None:
        while True:
            await self._fetched()
            await asyncio.sleep(self._pause() * random.uniform(0.8, 1))  # noqa: S311 - no secret: it spreads processes

    def _pause(self) -> float:
        if not self._failures:
            return self._refresh_seconds
        return min(_FIRST_RETRY_SECONDS * 2.0**self._failures, _MAX_RETRY_SECONDS, self._timing.refresh_seconds)

    async def _fetched(self) -> None:
        """Returns when the fetch under way has ended; begins one if there is none. Who waits may be cancelled alone."""
        if self._fetch is None:
            self._fetch = asyncio.create_task(self._run())
        await asyncio.shield(self._fetch)

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(self._timing.timeout_seconds):
                body, refresh_seconds = await self._download()
                key_set = KeySet.parse(parse_object(body))
        except Exception as error:  # noqa: BLE001 - whatever came or did not come, the old keys serve on
            self._failures = min(self._failures + 1, 16)
            self._look_again_at = self._monotonic() + self._pause()
            FETCHES.labels("failed").inc()
            log.warning("jwks_not_fetched", url=self._url, error=repr(error), age=self.age())
        else:
            self._failures = 0
            self._refresh_seconds = refresh_seconds
            self._fetched_at = self._monotonic()
            FETCHES.labels("fetched").inc()
            if key_set != self._key_set:
                self._key_set = key_set
                log.info("jwks_changed", kids=key_set.kids())
        finally:
            self._fetch = None

    async def _download(self) -> tuple[bytes, float]:
        """The body, and after how many seconds to fetch it again."""
        headers = {
            "accept": "application/jwk-set+json, application/json",
            "accept-encoding": "identity",
            "cache-control": "no-cache",  # a cache on the way asks auth before it answers
        }
        body = bytearray()
        async with self._http.stream("GET", self._url, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"answered {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ValueError(f"longer than {MAX_BODY_BYTES} bytes")
            stated = _MAX_AGE.search(response.headers.get("cache-control", ""))
        longest = self._timing.refresh_seconds
        return bytes(body), min(longest, max(_SHORTEST_REFRESH_SECONDS, float(stated[1]))) if stated else longest


def _unavailable() -> Unavailable:
    return Unavailable("auth's keys can't be fetched now. Ask again.")
