"""What a client hands in, before it is a job."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobRequest, owner_segment
from services.processor.domain.pipeline import parse_config
from services.processor.domain.sources import SourceRules, parse_source
from shared.errors import FieldError, ValidationFailed

MOST_REQUEST_BYTES = 262_144
"""A job's record, the request in it, has to fit into a DynamoDB item of 400 KB."""


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """Where jobs may read from. Everyone reads below their own prefixes; `shared_prefixes` are for all."""

    bucket: str
    shared_prefixes: tuple[str, ...] = ()
    sample_allowed: bool = False

    def rules_for(self, owner: str) -> SourceRules:
        own = tuple(f"s3://{self.bucket}/{kind}/{owner_segment(owner)}/" for kind in ("inputs", "jobs"))
        return SourceRules(own + self.shared_prefixes, self.sample_allowed)


def parse_request(raw_data_source: object, raw_config: dict[str, object], rules: SourceRules) -> JobRequest:
    """A request whose syntax is right and whose sources this caller may read.

    Raises:
        ValidationFailed: it names the place and the remedy.
    """
    parse_source(raw_data_source, rules)
    for join in parse_config(raw_config).joins:
        parse_source(join.raw_source, rules, join.place.at("source"))
    request = JobRequest(raw_data_source, raw_config)
    if len(request.text.encode()) > MOST_REQUEST_BYTES:
        detail = f"data_source and config have at most {MOST_REQUEST_BYTES} bytes together; use a prefix or a glob"
        raise ValidationFailed(detail, errors=[FieldError("/config", detail)])
    return request


def one_id(raw_processing_id: str | None, raw_idempotency_key: str | None) -> tuple[str, str] | None:
    """The id that the client chose and where it stood; None when it left the choice to us.

    Raises:
        ValidationFailed: it chose two.
    """
    if raw_processing_id is None:
        return None if raw_idempotency_key is None else (raw_idempotency_key, "Idempotency-Key")
    if raw_idempotency_key not in {None, raw_processing_id}:
        detail = "Idempotency-Key: it differs from processing_id in the body; send one of them"
        raise ValidationFailed(detail, errors=[FieldError("Idempotency-Key", detail)])
    return raw_processing_id, "/processing_id"
