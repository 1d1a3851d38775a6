"""The messages on the queue: which piece of which job is to be done. They carry no state: losing one loses nothing."""

import json
from dataclasses import dataclass
from typing import Literal

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.job_names import JobKey, parse_processing_id
from shared.errors import ValidationFailed

VERSION = 1


class UnknownMessage(ValueError):  # noqa: N818 - it states the fact
    """Not a message of ours, or of a later version."""


@dataclass(frozen=True, slots=True)
class WorkMessage:
    """Plan the job (`part` None), or do one part of it."""

    key: JobKey
    part: int | None
    traceparent: str

    @property
    def kind(self) -> Literal["plan", "part"]:
        return "plan" if self.part is None else "part"

    @property
    def body(self) -> str:
        values = {
            "v": VERSION,
            "kind": self.kind,
            "owner": self.key.owner,
            "processing_id": self.key.processing_id,
            "traceparent": self.traceparent,
        }
        return canonical_json(values if self.part is None else {**values, "part": self.part})


def parse_message(raw_body: str) -> WorkMessage:
    """The other way of `WorkMessage.body`.

    Raises:
        UnknownMessage: it is none of ours.
    """
    try:
        values = json.loads(raw_body)
        if values["v"] != VERSION or values["kind"] not in {"plan", "part"}:
            raise UnknownMessage(f"version {values['v']!r}, kind {values['kind']!r}")
        key = JobKey(str(values["owner"]), parse_processing_id(str(values["processing_id"]), "processing_id"))
        part = int(values["part"]) if values["kind"] == "part" else None
        return WorkMessage(key, part, str(values.get("traceparent", "")))
    except (TypeError, KeyError, ValueError, RecursionError, ValidationFailed) as error:
        raise UnknownMessage(f"{type(error).__name__}: {error}") from error
