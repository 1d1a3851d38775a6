"""The bodies of requests and answers about stored pipelines."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from services.processor.domain.stored_pipelines import ListedPipeline, StoredPipeline
from services.processor.schemas import Config, DataSource
from shared import clock
from shared.web.schema import RequestModel, ResponseModel


class PipelineRequest(RequestModel):
    data_source: DataSource | None = Field(None, description="What a run reads that names no `data_source`.")
    config: Config = Field(default_factory=dict)
    triggers: list[Any] = Field(
        default_factory=list,
        description="What runs it by itself: objects that arrive among your inputs, by `prefix` and `suffix`, "
        "or moments, as EventBridge writes them, in UTC.",
        examples=[[{"s3": {"suffix": ".csv"}}, {"schedule": "rate(1 hour)"}]],
    )


class PipelineResponse(ResponseModel):
    success: Literal[True] = True
    name: str
    data_source: str | list[str] | None
    config: dict[str, Any]
    triggers: list[dict[str, Any]]
    armed: bool = Field(description="Whether it runs by itself, as `triggers` say.")
    updated_at: str

    @classmethod
    def of(cls, pipeline: StoredPipeline) -> "PipelineResponse":
        source: Any = pipeline.request.data_source
        return cls(
            name=pipeline.name,
            data_source=source,
            config=dict(pipeline.request.config),
            triggers=[dict(trigger.to_json()) for trigger in pipeline.triggers],
            armed=pipeline.is_armed,
            updated_at=clock.rfc3339(pipeline.updated_at_ms / 1000),
        )


class ListedPipelineResponse(ResponseModel):
    name: str
    updated_at: str


class PipelinesResponse(ResponseModel):
    success: Literal[True] = True
    pipelines: list[ListedPipelineResponse]
    next_cursor: str | None = Field(description="Give it as `cursor` for those behind these; null at the end.")

    @classmethod
    def of(cls, listed: Sequence[ListedPipeline], next_cursor: str | None) -> "PipelinesResponse":
        pipelines = [
            ListedPipelineResponse(name=one.name, updated_at=clock.rfc3339(one.updated_at_ms / 1000)) for one in listed
        ]
        return cls(pipelines=pipelines, next_cursor=next_cursor)
