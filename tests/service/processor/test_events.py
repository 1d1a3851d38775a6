"""Following a job by its events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.types import Message

from services.processor.main import create_app
from shared import clock
from shared.clients.redis import open_redis
from shared.testing.tokens import TokenFactory
from shared.tokens.announcements import Announcements
from shared.tokens.revocation import Revocation, Target
from tests.service.processor.conftest import MakeSettings
from tests.service.processor.lives import life
from tests.service.processor.running import Processor, living, processor, ready, worker
from tests.support.names import unique_name
from tests.support.waiting import eventually


@dataclass
class Told:
    """What a stream said: its events, and its comments."""

    text: str

    @property
    def events(self) -> list[dict[str, str]]:
        blocks = [block for block in self.text.split("\n\n") if block.startswith("id: ")]
        return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    @property
    def comments(self) -> list[str]:
        return [block[2:] for block in self.text.split("\n\n") if block.startswith(": ")]


class Hearing:
    """A stream of which what has come is known while it goes on."""

    def __init__(self, app: FastAPI, path: str, headers: dict[str, str]) -> None:
        self.told = Told("")
        self._asked = False
        fields = [(name.encode(), value.encode()) for name, value in {"host": "processor.test", **headers}.items()]
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "headers": fields}
        self.answering = asyncio.ensure_future(app({**scope, "query_string": b""}, self._receive, self._send))

    async def some_event(self) -> bool:
        return bool(self.told.events)

    async def _receive(self) -> Message:
        if self._asked:
            await asyncio.Event().wait()  # the client stays
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        self.told.text += message.get("body", b"").decode()


@asynccontextmanager
async def application(running: Processor) -> AsyncIterator[FastAPI]:
    """Another instance on the same stores."""
    app = create_app(running.settings)
    async with living(app) as http:
        await eventually(ready(http), timeout_seconds=10)
        yield app


async def follow(running: Processor, processing_id: str, **headers: str) -> Told:
    """All that is told until the stream ends."""
    answer = await running.http.get(f"/api/status/{processing_id}/events", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    return Told(answer.text)


async def accepted(running: Processor) -> str:
    answer = await running.submit("test", prefer="respond-async")
    processing_id: str = answer.json()["processing_id"]
    return processing_id


async def test_a_job_is_followed_from_its_acceptance_to_its_end(idle_processor: Processor) -> None:
    sources = [await idle_processor.put(f"{letter}.ndjson", b'{"x": 1}\n' * 50) for letter in "abc"]
    processing_id = (await idle_processor.submit(sources, prefer="respond-async")).json()["processing_id"]
    following = asyncio.create_task(follow(idle_processor, processing_id))
    async with worker(idle_processor.settings):
        told = await following
    assert told.text.startswith("retry: 1000\n\n")
    assert [event["event"] for event in told.events] == ["progress"] * (len(told.events) - 1) + ["end"]
    assert len(set(told.ids)) == len(told.ids)
    assert told.ids[-1].startswith("completed-3-")
    last: dict[str, Any] = json.loads(told.events[-1]["data"])
    asked = (await idle_processor.http.get(f"/api/status/{processing_id}")).json()
    assert last == asked
    assert asked["status"]["progress"]["seconds_left"] == 0
    assert asked["status"]["progress"]["records_per_second"] > 0


async def test_who_comes_back_is_told_only_what_is_new(common_processor: Processor) -> None:
    processing_id = (await common_processor.submit("test")).json()["processing_id"]
    [end] = (await follow(common_processor, processing_id)).ids
    for earlier in ("accepted-0-0", "running-0-1", "no id of ours"):
        assert (await follow(common_processor, processing_id, **{"last-event-id": earlier})).ids == [end]
    again = await common_processor.http.get(f"/api/status/{processing_id}/events", headers={"last-event-id": end})
    assert (again.status_code, again.content) == (204, b"")


async def test_a_silent_stream_shows_that_it_lives_and_ends_in_time(
    make_settings: MakeSettings, tokens: TokenFactory
) -> None:
    settings = make_settings(event_stream_seconds=1.5, event_heartbeat_seconds=0.1, max_event_streams=2)
    async with processor(settings, tokens, unique_name("usr")) as running:
        path = f"/api/status/{await accepted(running)}/events"
        answers = await asyncio.gather(*(running.http.get(path) for _ in range(3)))
        [refused] = [answer for answer in answers if answer.status_code == 429]
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("rate-limited", "5")
        told = Told(next(answer.text for answer in answers if answer.status_code == 200))
        assert told.ids == ["accepted-0-0"]
        assert told.comments[0] == "still here"
        assert told.comments[-1] == "A stream lasts 1.5 s. Ask again, with Last-Event-ID."
        assert (await follow(running, path.split("/")[3], **{"last-event-id": "accepted-0-0"})).ids == []


async def test_a_stream_ends_with_its_token(idle_processor: Processor) -> None:
    path = f"/api/status/{await accepted(idle_processor)}/events"
    token_id = unique_name("tok")
    async with application(idle_processor) as app:
        heard = Hearing(app, path, idle_processor.headers_of(idle_processor.owner, jti=token_id))
        await eventually(heard.some_event)
        now = int(clock.now())
        async with open_redis(idle_processor.settings.redis_url) as redis:
            await Announcements(redis).announce(Revocation(Target("jti", token_id), now, now + 3600))
        await heard.answering
    assert heard.told.comments == ["The access token is not valid any more: revoked. Ask again, with Last-Event-ID."]


async def test_a_stream_ends_when_its_instance_stops(idle_processor: Processor) -> None:
    path = f"/api/status/{await accepted(idle_processor)}/events"
    async with application(idle_processor) as app:
        heard = Hearing(app, path, idle_processor.headers_of(idle_processor.owner))
        await eventually(heard.some_event)
        app.state.draining = True
        await heard.answering
    assert heard.told.comments == ["This instance stops. Ask again, with Last-Event-ID."]


async def test_a_head_request_does_not_wait_for_what_it_leaves_out(idle_processor: Processor) -> None:
    path = f"/api/status/{await accepted(idle_processor)}/events"
    async with asyncio.timeout(20):  # the stream itself would go on for minutes
        head = await idle_processor.http.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_a_place_is_free_again_when_nobody_reads_the_stream(make_settings: MakeSettings) -> None:
    async with life(make_settings(max_event_streams=1)) as one:
        await one.submit("usr_ada", "job", "test", {})
        follow_job = one.as_processor.follow_job
        for _ in range(2):
            looks = follow_job("usr_ada", "job")
            assert (await anext(looks)).place == "accepted-0-0"
            await looks.aclose()
