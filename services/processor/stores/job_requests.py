"""What a client asks a job to do, written out, also where it names a stored pipeline."""

from dataclasses import dataclass

from services.processor.domain.job_names import JobRequest
from services.processor.domain.stored_pipelines import parse_pipeline_name
from services.processor.domain.submissions import SourceAccess, Submission, parse_request, run_of
from services.processor.stores.stored_pipelines import StoredPipelines
from shared.errors import FieldError, ValidationFailed


@dataclass(frozen=True, slots=True)
class JobRequests:
    pipelines: StoredPipelines
    access: SourceAccess

    async def of(self, owner: str, submission: Submission) -> JobRequest:
        """Of a stored pipeline: what it says now.

        Raises:
            ValidationFailed: pipeline, source or config are wrong.
            Unavailable: DynamoDB does not answer.
        """
        rules = self.access.rules_for(owner)
        if submission.raw_pipeline is None:
            return parse_request(submission.raw_data_source, submission.raw_config or {}, rules)
        if submission.raw_config is not None:
            detail = "config: the stored pipeline has its own; leave out config or pipeline"
            raise ValidationFailed(detail, errors=[FieldError("/config", detail)])
        name = parse_pipeline_name(submission.raw_pipeline, "/pipeline")
        return run_of(await self.pipelines.get(owner, name), submission.raw_data_source, rules)
