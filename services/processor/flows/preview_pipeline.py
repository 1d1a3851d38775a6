"""What would this pipeline do to these records?"""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.processor.domain.pipeline import parse_config
from services.processor.domain.pipeline_errors import DeadlineExceeded
from services.processor.domain.sources import parse_source
from services.processor.domain.submissions import SourceAccess, parse_request
from services.processor.engine.previewing import Preview
from services.processor.settings import ProcessorSettings
from services.processor.stores.inputs import Inputs
from services.processor.stores.records import Records
from services.processor.stores.source_finder import SourceFinder
from services.processor.stores.work_folder import work_folder
from shared import clock


@dataclass(frozen=True, slots=True)
class PreviewPipeline:
    finder: SourceFinder
    inputs: Inputs
    folder: Path
    records: Records
    access: SourceAccess
    settings: ProcessorSettings
    now: clock.Clock

    async def __call__(self, owner: str, raw_data_source: object, raw_config: dict[str, object]) -> Preview:
        """The first records of the first object that has any, before and after. Nothing is written.

        Raises:
            ValidationFailed: source, pipeline or records are wrong: as the job would fail.
            DeadlineExceeded: it took too long, its wait for other previews included.
            RateLimited: too many previews wait already.
            Unavailable: S3 does not answer.
        """
        seconds = self.settings.preview_deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._preview(owner, raw_data_source, raw_config)
        except TimeoutError:
            raise DeadlineExceeded(
                f"the preview took longer than {seconds:g} s; try again, name fewer objects, or simplify the pipeline"
            ) from None

    async def _preview(self, owner: str, raw_data_source: object, raw_config: dict[str, object]) -> Preview:
        rules = self.access.rules_for(owner)
        request = parse_request(raw_data_source, raw_config, rules)
        pipeline = parse_config(request.config)
        found = await self.finder.find(parse_source(request.data_source, rules))
        joined = await self.finder.find_joined(pipeline, rules)
        with work_folder(self.folder, self.inputs) as folder:
            return await self.records.preview(
                pipeline,
                found,
                joined,
                partial(folder.first_row_groups, most_bytes=self.settings.preview_bytes),
                records=self.settings.preview_records,
                processed_at=clock.rfc3339(self.now()),
            )
