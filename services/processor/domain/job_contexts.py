"""What a worker finds out about a job by its context."""

from services.processor.domain.contexts import ContextRefused
from services.processor.domain.jobs import Job
from services.processor.domain.plans import Plan
from services.processor.domain.results import JobCancelled


class CallerRevoked(JobCancelled):
    """The caller was revoked after the job had been accepted: its user, its client, the key of its token, or all."""

    code, title = "caller-revoked", "The caller of the job was revoked"

    def __init__(self) -> None:
        super().__init__("its caller was revoked after it had been accepted")


def check_plan(plan: Plan, job: Job) -> None:
    """Raises ContextRefused: it is the plan of another request than the one that the caller made."""
    if plan.request_sha256 != job.request.fingerprint:
        raise ContextRefused("the plan of another request")
