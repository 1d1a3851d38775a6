"""What a client hands in, before it is a job."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobRequest, owner_segment, parse_processing_id
from services.processor.domain.pipeline import parse_config
from services.processor.domain.sources import SourceRules, parse_source
from services.processor.domain.stored_pipelines import StoredPipeline
from shared.errors import FieldError, ValidationFailed

MOST_REQUEST_BYTES = 262_144
"""A job's record, the request in it, has to fit into a DynamoDB item of 400 KB."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A request as it came; nothing in it was checked but its JSON types. None: the client did not say."""

    raw_processing_id: str | None
    raw_idempotency_key: str | None
    raw_pipeline: str | None
    raw_data_source: object | None
    raw_config: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """Where jobs may read from. Everyone reads below their own prefixes; `shared_prefixes` are for all."""

    bucket: str
    shared_prefixes: tuple[str, ...] = ()
    sample_allowed: bool = False

    def inputs_of(self, owner: str) -> str:
        """Where in the bucket the owner's uploads lie."""
        return f"inputs/{owner_segment(owner)}/"

    def rules_for(self, owner: str) -> SourceRules:
        own = tuple(f"s3://{self.bucket}/{kind}/{owner_segment(owner)}/" for kind in ("inputs", "jobs"))
        return SourceRules(own + self.shared_prefixes, self.sample_allowed)


def parse_request(raw_data_source: object, raw_config: dict[str, object], rules: SourceRules) -> JobRequest:
    """A request whose syntax is right and whose sources this caller may read.

    Raises:
        ValidationFailed: it names the place and the remedy.
    """
    if raw_data_source is None:
        detail = "data_source: what to read is missing; name an S3 object, a prefix, a glob, or a list of these"
        raise ValidationFailed(detail, errors=[FieldError("/data_source", detail)])
    return parse_stored(raw_data_source, raw_config, rules)


def parse_stored(raw_data_source: object | None, raw_config: dict[str, object], rules: SourceRules) -> JobRequest:
    """As a request is checked; but its source may be missing (None), to be named by each run.

    Raises:
        ValidationFailed: it names the place and the remedy.
    """
    if raw_data_source is not None:
        parse_source(raw_data_source, rules)
    for join in parse_config(raw_config).joins:
        parse_source(join.raw_source, rules, join.place.at("source"))
    request = JobRequest(raw_data_source, raw_config)
    if len(request.text.encode()) > MOST_REQUEST_BYTES:
        detail = f"data_source and config have at most {MOST_REQUEST_BYTES} bytes together; use a prefix or a glob"
        raise ValidationFailed(detail, errors=[FieldError("/config", detail)])
    return request


def run_of(stored: StoredPipeline | None, raw_data_source: object | None, rules: SourceRules) -> JobRequest:
    """What a run of a stored pipeline does: over the source that this run names, else over the pipeline's own.

    It is checked as if it were written out: what was right when it was stored may not be so now.

    Raises:
        ValidationFailed: there is no such pipeline, nobody named a source, or as `parse_request`.
    """
    if stored is None:
        detail = "pipeline: you have stored none of this name; GET /api/pipelines lists yours"
        raise ValidationFailed(detail, errors=[FieldError("/pipeline", detail)])
    source = stored.request.data_source if raw_data_source is None else raw_data_source
    return parse_request(source, dict(stored.request.config), rules)


def chosen_id(submission: Submission) -> str | None:
    """The id that the client chose; None when it left the choice to us.

    Raises:
        ValidationFailed: it is none, or the client chose two.
    """
    raw_id, raw_key = submission.raw_processing_id, submission.raw_idempotency_key
    if raw_id is None:
        return None if raw_key is None else parse_processing_id(raw_key, "Idempotency-Key")
    if raw_key not in {None, raw_id}:
        detail = "Idempotency-Key: it differs from processing_id in the body; send one of them"
        raise ValidationFailed(detail, errors=[FieldError("Idempotency-Key", detail)])
    return parse_processing_id(raw_id, "/processing_id")
