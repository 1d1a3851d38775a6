"""The bodies of requests and answers. Times are RFC 3339 in UTC with milliseconds."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.processor.domain.job_names import PROCESSING_ID_PATTERN
from services.processor.domain.jobs import Job, ListedJob
from services.processor.domain.outcomes import JobError, Outcome
from services.processor.domain.progress import Progress
from services.processor.domain.results import Result, ResultPart
from services.processor.domain.uploads import MOST_UPLOAD_BYTES, NewUpload
from services.processor.engine.previewing import Preview
from shared import clock
from shared.web.schema import RequestModel, ResponseModel

ProcessingId = Annotated[
    str,
    Field(
        description="Your own name for the job: a letter or digit, then letters, digits, dots, dashes, underscores.",
        examples=["orders-2026-11-23"],
        json_schema_extra={"pattern": f"^{PROCESSING_ID_PATTERN}$"},
    ),
]
_DATA_SOURCE = (
    "An S3 object, a prefix that ends in `/`, a glob, or a list of these, below your own prefixes. "
    'In local mode also `"test"`: a hundred made-up records.'
)
_CONFIG = (
    "The pipeline: `filter_condition`, `transformations`, `input`, `output`, `on_bad_record`, `stamp`. "
    "Empty: records go through as they are, with `processed` and `processed_at`."
)
DataSource = Annotated[str | list[str], Field(description=_DATA_SOURCE, examples=["test"])]
Config = Annotated[dict[str, Any], Field(description=_CONFIG)]
State = Literal["accepted", "running", "completed", "failed", "cancelled"]


class PreviewRequest(RequestModel):
    data_source: DataSource
    config: Config = Field(default_factory=dict)


class ProcessRequest(RequestModel):
    """Either `data_source` and `config`, or `pipeline`, which has both; a `data_source` goes before the pipeline's."""

    processing_id: ProcessingId | None = None
    pipeline: str | None = Field(None, description="The name of a stored pipeline.", examples=["daily-orders"])
    data_source: str | list[str] | None = Field(None, description=_DATA_SOURCE, examples=["test"])
    config: dict[str, Any] | None = Field(None, description=_CONFIG)
    dry_run: bool = Field(
        False, description="Answer with the plan and what AWS would ask for it. Nothing is written, no id is taken."
    )


class UploadRequest(RequestModel):
    filename: str = Field(description="The last part of the object's name.", examples=["orders.ndjson.gz"])
    content_type: str | None = Field(
        None, pattern=r"^[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=[\w-]{1,20})?$", examples=["application/x-ndjson"]
    )
    size: int | None = Field(
        None,
        ge=0,
        le=MOST_UPLOAD_BYTES,
        description="Bytes. Given, the URL takes exactly so many; above 5 GiB it must be given, and goes up in parts.",
    )


class UploadPart(ResponseModel):
    part: int = Field(description="Counted from 1.")
    url: str
    bytes: int = Field(description="So many of the object's bytes, in the order of the parts.")


class UploadResponse(ResponseModel):
    """A large object has `parts` and an `upload_id` in the place of a `url`."""

    data_source: str = Field(description="What to name in `POST /api/process` once the object is there.")
    url: str | None = Field(description="PUT the bytes here, without an Authorization header.")
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str] = Field(description="Send these with the PUT.")
    expires_at: str
    parts: list[UploadPart] | None = Field(description="PUT each part to its URL; then `POST /api/uploads/complete`.")
    upload_id: str | None

    @classmethod
    def of(cls, upload: NewUpload) -> "UploadResponse":
        return cls(
            data_source=upload.data_source,
            url=upload.url,
            headers=upload.headers,
            expires_at=clock.rfc3339(upload.expires_at),
            parts=[UploadPart(part=one.part, url=one.url, bytes=one.size) for one in upload.parts] or None,
            upload_id=upload.upload_id,
        )


class CompletionRequest(RequestModel):
    data_source: str = Field(max_length=2048)
    upload_id: str = Field(min_length=1, max_length=1024)
    parts: int = Field(ge=1, le=10_000, description="How many there are.")


class CompletionResponse(ResponseModel):
    data_source: str
    bytes: int


class ResultMetadata(ResponseModel):
    processed_records: int = Field(description="Records in the result.")
    processing_time_ms: int = Field(description="From acceptance to the result.")


class ProcessResponse(ResponseModel):
    """The job has ended within the wait."""

    success: Literal[True] = True
    processing_id: str
    result_location: str = Field(description="The S3 object of the result, or the prefix of its objects.")
    metadata: ResultMetadata

    @classmethod
    def of(cls, job: Job, outcome: Outcome) -> "ProcessResponse":
        return cls(
            processing_id=job.key.processing_id,
            result_location=outcome.result_location or "",
            metadata=ResultMetadata(
                processed_records=outcome.counts.records_out,
                processing_time_ms=outcome.finished_at_ms - job.submitted_at_ms,
            ),
        )


class AcceptedResponse(ResponseModel):
    """The job is accepted, and will come to its end whatever dies."""

    success: Literal[True] = True
    processing_id: str
    status: State
    status_url: str = Field(description="Where to ask how it is.")

    @classmethod
    def of(cls, job: Job) -> "AcceptedResponse":
        processing_id = job.key.processing_id
        return cls(processing_id=processing_id, status=job.state.value, status_url=f"/api/status/{processing_id}")


class DoneOfTotal(ResponseModel):
    done: int
    total: int | None = Field(description="null until the job is planned.")


class ProgressResponse(ResponseModel):
    partitions: DoneOfTotal
    records: int = Field(description="Records read so far.")
    bytes: DoneOfTotal
    records_per_second: float | None = Field(description="Over all the time since it was planned; null until known.")
    bytes_per_second: float | None = Field(description="As `records_per_second`.")
    seconds_left: float | None = Field(description="If the rest goes as fast; null until known, 0 at the end.")


class JobErrorResponse(ResponseModel):
    """Why the job failed or was cancelled, as a problem document would say it."""

    code: str
    detail: str
    errors: list[dict[str, str]] = Field(
        default_factory=list, description="Places (`pointer`) and remedies (`detail`)."
    )
    object: str | None = Field(None, description="The S3 object in which it was found.")
    record: int | None = Field(
        None, description="The record in that object, counted from 1, or from 1 behind byte `from_byte` of it."
    )
    from_byte: int | None = Field(None, description="Where the part of a large object begins that holds the record.")
    column: str | None = None

    @classmethod
    def of(cls, error: JobError) -> "JobErrorResponse":
        known = {name: value for name, value in error.details.items() if name in cls.model_fields}
        return cls(code=error.code, detail=error.detail, **known)


class JobSummary(ResponseModel):
    status: State
    submitted_at: str
    processed_at: str | None
    failed_at: str | None
    cancelled_at: str | None
    result_location: str | None
    input_size: int | None = Field(description="Records read; null until the job has ended.")
    output_size: int | None = Field(description="Records in the result; null until the job has ended.")
    rejected_size: int | None = Field(description="Records left out as bad; null until the job has ended.")
    processing_time_ms: int | None = Field(description="From acceptance to the end; null until then.")
    error: JobErrorResponse | None

    @staticmethod
    def members(state: State, submitted_at_ms: int, outcome: Outcome | None) -> dict[str, Any]:
        """What is told of every job, in a list or alone."""
        ended = _time(outcome.finished_at_ms) if outcome else None
        counts = outcome.counts if outcome else None
        return {
            "status": state,
            "submitted_at": _time(submitted_at_ms),
            "processed_at": ended if state == "completed" else None,
            "failed_at": ended if state == "failed" else None,
            "cancelled_at": ended if state == "cancelled" else None,
            "result_location": outcome.result_location if outcome else None,
            "input_size": counts.records_in if counts else None,
            "output_size": counts.records_out if counts else None,
            "rejected_size": counts.records_rejected if counts else None,
            "processing_time_ms": outcome.finished_at_ms - submitted_at_ms if outcome else None,
            "error": JobErrorResponse.of(outcome.error) if outcome and outcome.error else None,
        }


class JobStatus(JobSummary):
    attempts: int = Field(description="How often the piece of work was begun that was begun most.")
    progress: ProgressResponse


class StatusResponse(ResponseModel):
    success: Literal[True] = True
    processing_id: str
    status: JobStatus

    @classmethod
    def of(cls, progress: Progress) -> "StatusResponse":
        job, counts = progress.job, progress.counts
        planned = job.parts > 0
        status = JobStatus(
            **JobSummary.members(job.state.value, job.submitted_at_ms, job.outcome),
            attempts=progress.attempts,
            progress=ProgressResponse(
                partitions=DoneOfTotal(done=progress.parts_done, total=job.parts if planned else None),
                records=counts.records_in,
                bytes=DoneOfTotal(done=counts.bytes_in, total=job.bytes_in if planned else None),
                records_per_second=_rounded(progress.pace.records_per_second),
                bytes_per_second=_rounded(progress.pace.bytes_per_second),
                seconds_left=_rounded(progress.pace.seconds_left),
            ),
        )
        return cls(processing_id=job.key.processing_id, status=status)


class ListedJobResponse(JobSummary):
    processing_id: str

    @classmethod
    def of(cls, job: ListedJob) -> "ListedJobResponse":
        members = JobSummary.members(job.state.value, job.submitted_at_ms, job.outcome)
        return cls(processing_id=job.processing_id, **members)


class JobsResponse(ResponseModel):
    success: Literal[True] = True
    jobs: list[ListedJobResponse]
    next_cursor: str | None = Field(description="Give it as `cursor` for the jobs before these; null at the end.")


class ResultPartResponse(ResponseModel):
    url: str = Field(description="GET it without an Authorization header.")
    sha256: str
    records: int
    bytes: int
    partition: dict[str, str | None] | None = Field(
        description="The values of the columns that the result is split by; null where it is not split."
    )
    expires_at: str

    @classmethod
    def of(cls, part: ResultPart, expires_at: str) -> "ResultPartResponse":
        return cls(
            url=part.url,
            sha256=part.sha256,
            records=part.records,
            bytes=part.bytes,
            partition=None if part.partition is None else dict(part.partition),
            expires_at=expires_at,
        )


class ResultResponse(ResponseModel):
    processing_id: str
    manifest: dict[str, Any] = Field(description="Sources with ETags, plan, parts with SHA-256, counts.")
    parts: list[ResultPartResponse] = Field(description="In order: together they are the result.")
    rejected: list[ResultPartResponse] = Field(
        description="Bad records that were left out and kept, NDJSON: one object each, with `reason` and `raw`."
    )
    expires_at: str

    @classmethod
    def of(cls, result: Result) -> "ResultResponse":
        expires_at = clock.rfc3339(result.expires_at)
        return cls(
            processing_id=result.processing_id,
            manifest=dict(result.manifest),
            parts=[ResultPartResponse.of(part, expires_at) for part in result.parts],
            rejected=[ResultPartResponse.of(part, expires_at) for part in result.rejected],
            expires_at=expires_at,
        )


class PreviewResponse(ResponseModel):
    records_in: list[dict[str, Any]]
    records_out: list[dict[str, Any]]
    schema_in: dict[str, str] = Field(description="Columns and their types, as inferred or as `input.schema` says.")
    schema_out: dict[str, str]
    rejected: list[dict[str, Any]] = Field(description="The first bad records that a job would leave out, and why.")
    warnings: list[str]

    @classmethod
    def of(cls, shown: Preview) -> "PreviewResponse":
        return cls(
            records_in=shown.records_in,
            records_out=shown.records_out,
            schema_in=shown.schema_in,
            schema_out=shown.schema_out,
            rejected=shown.rejected,
            warnings=shown.warnings,
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _time(milliseconds: int) -> str:
    return clock.rfc3339(milliseconds / 1000)
