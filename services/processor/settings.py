"""What the processor and its worker need to know, beside what both services share."""

import os
import tempfile

from pydantic import Field, SecretStr

from services.processor.domain.quotas import Quotas
from services.processor.domain.uploads import LEAST_PART_BYTES, MOST_PUT_BYTES
from shared.settings import SharedSettings
from shared.tokens.claims import MAX_LIFETIME_SECONDS


class ProcessorSettings(SharedSettings):
    port: int = Field(8002, ge=1, le=65535, description="The port to listen on.")
    worker_port: int = Field(8003, ge=1, le=65535, description="Where a worker answers its health and metrics.")

    bucket: str = Field("mayfly-data", description="The S3 bucket that holds uploads, plans, results and manifests.")
    s3_public_endpoint: str | None = Field(
        None, description="The address by which clients reach S3, for presigned URLs, where it is not ours."
    )
    shared_source_prefixes: str = Field(
        "", description="Comma-separated `s3://bucket/prefix/` that every caller may read from; none by default."
    )
    queue_name: str = Field("mayfly-jobs", description="The SQS queue of work to do.")
    dead_letter_queue_name: str = Field("mayfly-jobs-dead", description="Where work ends that can't be done.")
    max_receive_count: int = Field(
        20, ge=2, le=1000, description="How often SQS hands out a message before it goes to the dead-letter queue."
    )

    trigger_queue_name: str | None = Field(
        None,
        description="The SQS queue by which S3 and EventBridge run pipelines that have triggers; without one none has.",
    )
    event_bus: str | None = Field(
        None, description="The EventBridge bus that is told how jobs end; without one nobody is told."
    )
    event_interval_seconds: float = Field(
        1, ge=0.1, le=3600, description="How often a worker looks for events that are to be told."
    )
    context_key: SecretStr | None = Field(
        None,
        description="The private key (P-256, PEM) by which a processor signs who has asked for a job: usually "
        "MAYFLY_CONTEXT_KEY_FILE, or SSM. A processor needs it; a worker can do with the public part in "
        "`context_other_keys`. (Local mode: the bootstrap makes one below MAYFLY_SSM_PREFIX.)",
    )
    context_other_keys: SecretStr | None = Field(
        None,
        description="Further keys (PEM, public or private, one after the other) that workers believe besides: the next "
        "one before its first use, the last one until its jobs have ended.",
    )

    single_upload_bytes: int = Field(
        MOST_PUT_BYTES, ge=0, le=MOST_PUT_BYTES, description="Up to this size one PUT uploads an object; beyond, parts."
    )
    upload_part_bytes: int = Field(
        64 * 1024**2, ge=LEAST_PART_BYTES, le=MOST_PUT_BYTES, description="The least size of such a part."
    )
    upload_url_seconds: int = Field(900, ge=1, le=604_800, description="How long a presigned upload URL works.")
    result_url_seconds: int = Field(900, ge=1, le=604_800, description="How long a presigned result URL works.")
    default_wait_seconds: float = Field(
        5, ge=0, le=60, description="How long `POST /api/process` waits for the result when the client does not say."
    )
    max_wait_seconds: int = Field(60, ge=0, le=60, description="The longest wait that a client may ask for.")
    event_stream_seconds: float = Field(
        900,
        gt=0,
        le=86_400,
        description="How long one stream of a job's events lasts; its client then comes again.",
    )
    event_heartbeat_seconds: float = Field(
        15, gt=0, le=3600, description="A stream of events that was silent for so long shows that it is alive."
    )
    max_event_streams: int = Field(
        8, ge=1, description="How many streams of events one caller may have at one instance."
    )
    job_retention_days: int = Field(30, ge=1, le=3650, description="How long uploads and results are kept.")
    max_objects: int = Field(1000, ge=1, le=10_000, description="The most S3 objects that one job may read.")
    max_listed_keys: int = Field(
        100_000, ge=1, description="The most S3 keys that one job may look at in order to find its objects."
    )

    max_open_jobs: int = Field(1000, ge=1, description="How many jobs of a user may be open; the next one is a 429.")
    max_open_bytes: int = Field(
        1_099_511_627_776, ge=1, description="How much the open jobs of a user may read before the next one is a 429."
    )
    max_parts_at_once: int = Field(
        32, ge=1, le=10_000, description="How many parts of a user's jobs are asked for at once, about."
    )
    max_waiting_messages: int = Field(
        10_000,
        ge=1,
        description="How many messages of all users may wait in the queue, about, before the next job is a 503.",
    )
    max_pipelines: int = Field(100, ge=1, le=10_000, description="How many pipelines a user may store.")

    preview_records: int = Field(20, ge=1, le=1000, description="How many records a preview reads.")
    preview_bytes: int = Field(
        1_048_576, ge=1024, description="How much of an object a preview reads; of a Parquet at least a row group."
    )
    preview_deadline_seconds: float = Field(10, gt=0, le=60, description="How long a preview or a dry run may take.")
    max_waiting_previews: int = Field(
        16,
        ge=0,
        le=10_000,
        description="How many previews and dry runs wait while others run; the next one is told to come later.",
    )
    sample_bytes: int = Field(1_048_576, ge=1024, description="How much of an object is read to infer its columns.")
    sample_objects: int = Field(8, ge=1, le=100, description="How many objects of a job are read to infer its columns.")

    partition_bytes: int = Field(
        67_108_864, ge=1024, description="How large a part of a large NDJSON, CSV or Parquet object is, about."
    )

    lease_seconds: float = Field(
        15, ge=0.5, le=600, description="How long a worker owns a piece of work without a sign of life."
    )
    max_attempts: int = Field(5, ge=1, le=100, description="How many workers try a piece of work before it fails.")
    job_deadline_seconds: float = Field(
        MAX_LIFETIME_SECONDS,
        gt=0,
        le=MAX_LIFETIME_SECONDS,
        description="How old a job may become: no piece of an older one is begun, it fails. Its context lives so long.",
    )
    sweep_interval_seconds: float = Field(
        5, ge=0.1, le=3600, description="How often a worker looks for open jobs that nobody works on."
    )
    sweep_after_seconds: float = Field(
        30, ge=0.1, le=3600, description="How long an open job may be silent before its messages are sent again."
    )
    long_poll_seconds: int = Field(2, ge=0, le=20, description="How long a worker waits at SQS for a message.")
    slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=64, description="Pieces of work at once in one worker."
    )

    engine_memory_mb: int = Field(256, ge=64, description="The record engine's memory limit for one piece of work.")
    engine_max_plain_mb: int = Field(
        2048,
        ge=1,
        description="How much one piece of work may unpack, or a row group take: it must fit the disk of `work_dir`.",
    )
    engine_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="The record engine's threads in one worker: a lone piece of work gets all, several share them.",
    )
    engine_deadline_seconds: float = Field(600, gt=0, description="How long the records of one object may take.")
    work_dir: str = Field(
        default_factory=tempfile.gettempdir, description="Where an object's records lie while they are worked on."
    )

    @property
    def shared_prefixes(self) -> tuple[str, ...]:
        return tuple(prefix.strip() for prefix in self.shared_source_prefixes.split(",") if prefix.strip())

    @property
    def quotas(self) -> Quotas:
        return Quotas(self.max_open_jobs, self.max_open_bytes, self.max_parts_at_once, self.max_waiting_messages)

    @property
    def job_record_seconds(self) -> int:
        """How long the record of a job is kept: longer than the objects that it names."""
        return (self.job_retention_days + 7) * 86_400

    @classmethod
    def required_in_production(cls) -> tuple[str, ...]:
        return (*super().required_in_production(), "bucket")
