"""How many streams of events a caller has at this instance."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import RateLimited


class StreamPlaces:
    """Each stream keeps a connection and reads DynamoDB: so many for each caller, `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken_by(self, owner: str) -> Iterator[None]:
        """A place, until the block ends.

        Raises:
            RateLimited: the caller has all of theirs.
        """
        if self._taken[owner] >= self._most:
            raise RateLimited(
                f"You have {self._most} streams of events here already. End one, or ask GET /api/status.",
                retry_after_seconds=5,
            )
        self._taken[owner] += 1
        try:
            yield
        finally:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]
