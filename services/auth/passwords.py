"""Passwords by Argon2id (RFC 9106), in threads of their own, so many at once as there are cores."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter, Gauge

from services.auth.domain.problems import TooManyLogins
from services.auth.domain.users import normalize_password
from shared.ids import new_secret

VERIFICATIONS = Counter("mayfly_password_verifications", "Passwords that were checked by Argon2id.", ["outcome"])
WAITING = Gauge("mayfly_passwords_waiting", "Passwords that are being checked, or wait for it.")

_NICENESS = 10
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Verification:
    """`is_weak`: the stored hash costs an attacker less than ours do now; hash the password again."""

    is_right: bool
    is_weak: bool = False


class Passwords:
    """Checks and hashes. `close` it in the end."""

    def __init__(self, *, memory_kib: int, iterations: int, threads: int, queue: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_step_back)
        self._most_at_once = threads + queue
        self._at_once = 0
        # Checked for a user that does not exist, so that this takes the same time.
        self._nobodys_hash = self._hasher.hash(new_secret())

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for one password. Take it before anything else: so a storm of logins costs no more than its answers.

        Raises:
            TooManyLogins: as many as may wait do so already.
        """
        if self._at_once >= self._most_at_once:
            raise TooManyLogins("More people log in than this instance can check now.", retry_after_seconds=1)
        self._at_once += 1
        try:
            with WAITING.track_inprogress():
                yield
        finally:
            self._at_once -= 1

    async def verify(self, stored_hash: str | None, password: str) -> Verification:
        """Whether it is the password of that hash; None (there is no such user) costs the same and is never right.

        Only within `room`.
        """
        result = await self._in_a_thread(partial(self._verify, stored_hash, normalize_password(password)))
        VERIFICATIONS.labels("right" if result.is_right else "wrong").inc()
        return result

    async def hash(self, password: str) -> str:
        """A hash to store, with its salt and parameters in it. Raises TooManyLogins."""
        with self.room():
            return await self._in_a_thread(partial(self._hasher.hash, normalize_password(password)))

    async def _in_a_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored_hash: str | None, password: str) -> Verification:
        try:
            self._hasher.verify(stored_hash or self._nobodys_hash, password)
        except (VerificationError, InvalidHashError):
            return Verification(is_right=False)
        return Verification(is_right=stored_hash is not None, is_weak=self._is_weak(stored_hash))

    def _is_weak(self, stored_hash: str | None) -> bool:
        if stored_hash is None:
            return False
        stored = extract_parameters(stored_hash)
        return stored.memory_cost < self._hasher.memory_cost or stored.time_cost < self._hasher.time_cost


def _step_back() -> None:
    """Where the cores are all taken, whoever needs no password goes first (Linux knows a niceness for each thread)."""
    if sys.platform == "linux":
        os.nice(_NICENESS)
