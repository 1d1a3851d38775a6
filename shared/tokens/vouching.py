"""How auth says in the stream that nothing is missing from it: it makes a quiet stream news, and a forgetful one none.

All is compared and measured inside Redis, so an instance that freezes anywhere in between vouches for nothing that it
has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis.asyncio import Redis

from shared.clients.redis import redis_errors
from shared.tokens.announcements import STREAM_LENGTH
from shared.tokens.revocation import Revocation
from shared.tokens.revocation_keys import GENERATION_KEY, SNAPSHOT_KEY, STREAM_KEY, to_member

_CHUNK = 1000

# KEYS: stream, generation. The answer: generation, the stream's last id, the server's name for this run, its time.
_STATE = """
local function state()
    local generation = redis.call('GET', KEYS[2])
    if not generation or redis.call('EXISTS', KEYS[1]) == 0 then
        return nil
    end
    local last
    local stream = redis.call('XINFO', 'STREAM', KEYS[1])
    for place = 1, #stream, 2 do
        if stream[place] == 'last-generated-id' then
            last = stream[place + 1]
        end
    end
    local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
    local time = redis.call('TIME')
    return {generation, last, run, time[1] .. '.' .. string.format('%06d', time[2])}
end
"""

_LOOK = _STATE + "return state() or false"

# ARGV: generation, last id, run and time as they were looked at; the wall clock of who vouches; the stream's length.
_VOUCH = (
    _STATE
    + """
local function parts(id)
    local milliseconds, sequence = string.match(id, '(%d+)-(%d+)')
    return tonumber(milliseconds), tonumber(sequence)
end
local now = state()
if not now or now[1] ~= ARGV[1] or now[3] ~= ARGV[3] then
    return false
end
local milliseconds, sequence = parts(now[2])
local seen_milliseconds, seen_sequence = parts(ARGV[2])
local age = tonumber(now[4]) - tonumber(ARGV[4])
if age < 0 or milliseconds < seen_milliseconds or (milliseconds == seen_milliseconds and sequence < seen_sequence) then
    return false
end
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], '*',
    'vouched', string.format('%.6f', age), 'clock', ARGV[5])
"""
)


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is in Redis at one moment: `last_id` of the stream, `run` of the server, `time` by its own clock."""

    generation: str
    last_id: str
    run: str
    time: str

    def has_lost_nothing_since(self, earlier: "FeedState") -> bool:
        """Whether it is the same server, still running, with the same data."""
        return self.run == earlier.run and self.generation == earlier.generation and not self.is_behind(earlier)

    def is_behind(self, earlier: "FeedState") -> bool:
        """Whether the stream went back: what was announced in between is gone."""
        return _order(self.last_id) < _order(earlier.last_id)


class Vouching:
    """All of it raises Unavailable when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._look = redis.register_script(_LOOK)
        self._vouch = redis.register_script(_VOUCH)

    async def look(self) -> FeedState | None:
        """None: this Redis has lost its data (or never had any) and must be filled from the durable truth."""
        with redis_errors():
            state = await self._look(keys=[STREAM_KEY, GENERATION_KEY])
        return FeedState(*map(_text, state)) if state else None

    async def missing(self, revocations: Sequence[Revocation]) -> list[Revocation]:
        """Those that nobody who reads this Redis can know of."""
        found: list[Revocation] = []
        rest = iter(revocations)
        with redis_errors():
            while chunk := list(islice(rest, _CHUNK)):
                scores: Any = await self._redis.zmscore(SNAPSHOT_KEY, [to_member(each) for each in chunk])
                known = zip(chunk, scores, strict=True)
                found += [each for each, score in known if score is None or score < each.expires_at]
        return found

    async def vouch(self, seen: FeedState, now: float) -> bool:
        """Say in the stream: all that was durable when `seen` was looked at stands before this.

        `now` is the wall clock, by which others learn whose clock is ahead. False: Redis has lost data since, and
        nothing was said.
        """
        with redis_errors():
            answer = await self._vouch(
                keys=[STREAM_KEY, GENERATION_KEY],
                args=[seen.generation, seen.last_id, seen.run, seen.time, f"{now:.6f}", STREAM_LENGTH],
            )
        return bool(answer)


def _order(stream_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = stream_id.partition("-")
    return int(milliseconds), int(sequence)


def _text(raw: str | bytes) -> str:
    return raw.decode() if isinstance(raw, bytes) else raw
