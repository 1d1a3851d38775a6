"""What one owner may have at once, and all of them together, so that nobody takes what is there for all."""

from dataclasses import dataclass

from shared.errors import RateLimited, Unavailable

_SHARE_UNASKED = 10
_SHARE_OF_ALL_UNASKED = 100
_RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Usage:
    """An owner's jobs that have not ended, and the bytes that those of them read that are planned."""

    jobs: int = 0
    bytes: int = 0


class QuotaExceeded(RateLimited):
    """The caller has as many open jobs, or as many bytes in them, as one may. `quota` says which, and how many."""

    code, title = "quota-exceeded", "A quota is used up"

    def __init__(self, setting: str, what: str, *, most: int, used: int) -> None:
        super().__init__(
            f"You have {used} {what}, and one may have {most} ({setting}). Nothing was accepted. Wait until one of "
            "your jobs has ended, or cancel one: DELETE /api/process/{processing_id}.",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )
        self.setting = setting
        self.extensions = {"quota": {"setting": setting, "most": most, "used": used}}


class QueueFull(Unavailable):
    """So much work of all callers waits that a further job would only wait, too. Nothing was accepted."""

    code, title = "queue-full", "Too much work is waiting"

    def __init__(self) -> None:
        super().__init__(
            "The queue is full: as much work waits as may (MAYFLY_MAX_WAITING_MESSAGES). Nothing was accepted. "
            "Send the same request again later.",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class Quotas:
    """What one owner may have at once. `parts` are pieces of work that are asked for and not yet done.

    `waiting` are messages in the queue, of all owners.
    """

    jobs: int
    bytes: int
    parts: int
    waiting: int

    def check(self, usage: Usage) -> None:
        """Whether an owner of that many may have another job: all of it or none.

        Raises:
            QuotaExceeded: they may not.
        """
        if usage.jobs >= self.jobs:
            raise QuotaExceeded("MAYFLY_MAX_OPEN_JOBS", "jobs that have not ended", most=self.jobs, used=usage.jobs)
        if usage.bytes >= self.bytes:
            what = "bytes in jobs that have not ended"
            raise QuotaExceeded("MAYFLY_MAX_OPEN_BYTES", what, most=self.bytes, used=usage.bytes)

    def unasked(self, usage: Usage) -> int:
        """How many jobs more one instance lets in before it looks again: a tenth of what was left at the last look."""
        return max(self.jobs - usage.jobs, 0) // _SHARE_UNASKED

    def check_all(self, waiting: int) -> None:
        """Whether anybody may have another job, while so many messages wait. Raises QueueFull."""
        if waiting >= self.waiting:
            raise QueueFull

    def unasked_of_all(self, waiting: int) -> int:
        """The same for the queue: a hundredth, as every owner's jobs add to it meanwhile."""
        return max(self.waiting - waiting, 0) // _SHARE_OF_ALL_UNASKED

    def parts_of_one(self, usage: Usage) -> int:
        """How many parts of one job are asked for at once: its share, if all open jobs of the owner have several."""
        return max(self.parts // max(usage.jobs, 1), 1)
