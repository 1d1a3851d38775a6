"""Wrong passwords, counted in Redis. They are forgotten some time after the last one; losing them all is no harm."""

import json

from redis.asyncio import Redis

from services.auth.domain.lockout import USUAL_LIMITS, Limits
from shared.clients.redis import redis_errors
from shared.ids import digest

_FORGET_SECONDS = 900
_KNOWN_ADDRESS_SECONDS = 30 * 86_400
_PREFIX = "mayfly:attempts"

# KEYS (of each script): the tallies of the pair, the user, the address; what says that they have logged in from here.
# The tallies are judged and raised in one step: of tries that come together each sees those before it.
# What strangers did to the user from elsewhere does not count where the user has logged in before.
# A tally drains, by what is free in the time after which it is forgotten: else those who share a busy address, or log
# in often, would one day wait for what was mistyped last week. It drains from `counted_at`, not from the last failure,
# which a right password takes back: else one's own logins would drain it once more each.
# Another instance's clock may be ahead: nobody waits longer than the delay.
_COUNT = """
local now, forget, free, delays = tonumber(ARGV[1]), ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
local known = redis.call('EXISTS', KEYS[4]) == 1
local wait, last, level = 0, {}, {}
for i = 1, 3 do
  local tally = redis.call('HMGET', KEYS[i], 'count', 'last_at', 'counted_at')
  local since = math.max(0, now - tonumber(tally[3] or now))
  level[i] = math.max(0, tonumber(tally[1] or 0) - since * free[i] / forget)
  local beyond = math.ceil(level[i]) - free[i]
  last[i] = tally[2] or '0'
  if beyond >= 0 and not (known and i == 2) then
    local delay = delays[math.min(beyond + 1, #delays)]
    wait = math.max(wait, math.min(delay, tonumber(last[i]) + delay - now))
  end
end
if wait > 0 then return tostring(wait) end
for i = 1, 3 do
  redis.call('HSET', KEYS[i], 'count', level[i] + 1, 'counted_at', ARGV[1])
  redis.call('HSET', KEYS[i], 'last_at', ARGV[1], 'last_but_one_at', last[i])
  redis.call('EXPIRE', KEYS[i], forget)
end
return '0'
"""

_TAKE_BACK = """
for i = 1, 3 do
  local tally = redis.call('HMGET', KEYS[i], 'count', 'last_but_one_at')
  if tonumber(tally[1] or 0) > 0 then
    redis.call('HSET', KEYS[i], 'count', math.max(0, tonumber(tally[1]) - 1), 'last_at', tally[2])
  end
end
"""

_CLEAR = f"""
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[4], '1', 'EX', ARGV[1])
{_TAKE_BACK}
"""


class LoginAttempts:
    """`username` is folded, `address` as counted. Each call is one round trip, and raises Unavailable without Redis."""

    def __init__(self, redis: Redis, limits: Limits = USUAL_LIMITS) -> None:
        self._redis = redis
        self._free = json.dumps([limits.free_per_pair, limits.free_per_user, limits.free_per_address])
        self._delays = json.dumps(limits.delays)
        self._count = redis.register_script(_COUNT)
        self._take_back = redis.register_script(_TAKE_BACK)
        self._clear = redis.register_script(_CLEAR)

    async def count_failure(self, username: str, address: str, now: float) -> float:
        """Count a try as a failure before it is known to be one, if it may come now.

        0: it is counted, and may go on. Otherwise nothing was counted; it may come in so many seconds.
        """
        with redis_errors():
            wait = await self._count(
                keys=_keys(username, address), args=[f"{now:.3f}", _FORGET_SECONDS, self._free, self._delays]
            )
        return float(wait)

    async def take_back(self, username: str, address: str) -> None:
        """What `count_failure` has counted was no failure: nothing was found out about the password."""
        with redis_errors():
            await self._take_back(keys=_keys(username, address))

    async def clear(self, username: str, address: str) -> None:
        """After a right password: these two belong together, and what `count_failure` has counted was no failure.

        What was counted before for the address and for the user stays, else one's own account, or the victim's own
        logins, would give an attacker new tries.
        """
        with redis_errors():
            await self._clear(keys=_keys(username, address), args=[_KNOWN_ADDRESS_SECONDS])


def _keys(username: str, address: str) -> list[str]:
    user = digest(username)[:32]
    return [
        f"{_PREFIX}:pair:{user}:{address}",
        f"{_PREFIX}:user:{user}",
        f"{_PREFIX}:address:{address}",
        f"{_PREFIX}:known:{user}:{address}",
    ]
