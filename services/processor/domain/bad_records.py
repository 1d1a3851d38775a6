"""What becomes of records that can't be read, or computed with."""

from typing import Literal

from services.processor.domain.excerpts import excerpt
from services.processor.domain.pipeline_errors import CONFIG, PipelineError
from shared.nearest import did_you_mean

BadRecordPolicy = Literal["fail", "skip", "quarantine"]
BAD_RECORD_POLICIES: tuple[BadRecordPolicy, ...] = ("fail", "skip", "quarantine")


def parse_bad_record_policy(raw: object) -> BadRecordPolicy:
    """Raises PipelineError, which names the nearest policy."""
    for known in BAD_RECORD_POLICIES:
        if raw == known:
            return known
    near = did_you_mean(str(raw), BAD_RECORD_POLICIES)
    raise PipelineError(CONFIG.at("on_bad_record"), f'unknown policy "{excerpt(raw)}"; {near}')
