"""A result that is split by the values of columns: an object for the rows of each part that have the same ones.

They lie in folders as Hive names them, where Athena, Glue, Spark and DuckDB look for the values:
`day=2026-11-23/country=DE/`. What a part has made is listed in an object of its own, by whose bytes it is known.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from services.processor.domain.fingerprint import canonical_json
from services.processor.domain.jobs import Job
from services.processor.domain.pipeline_errors import CONFIG, PipelineError
from services.processor.domain.plans import Plan

PARTITION_BY = CONFIG.at("output", "partition_by")
OF_NULL = "__HIVE_DEFAULT_PARTITION__"
MOST_OBJECTS = 10_000
MOST_FOLDER_BYTES = 300
"""Of all folders of an object: a key of S3 has at most 1,024."""

_ESCAPED = re.compile(r"""[\x00-\x1f\x7f"#%'*/:=?\\{\[\]^]""")


@dataclass(frozen=True, slots=True)
class Split:
    """One object, by its bytes. `values` are those of the columns that the result is split by, as texts."""

    values: tuple[str | None, ...]
    sha256: str
    records: int
    bytes: int

    def to_json(self, key: str, names: Sequence[str]) -> dict[str, object]:
        """As the manifest names it."""
        size = {"sha256": self.sha256, "bytes": self.bytes, "records": self.records}
        return {"key": key, **size, "partition": dict(zip(names, self.values, strict=True))}


def split_key(job: Job, plan: Plan, part: int, split: Split) -> str:
    """Where the bytes lie."""
    folder = split_folder(plan.partition_by, split.values)
    return f"{job.key.folder}data/{folder}part-{part:05d}-{split.sha256}{plan.output.suffix}"


def split_folder(names: Sequence[str], values: Sequence[str | None]) -> str:
    """Hive's name for the folder of these values, and of null."""
    pairs = zip(names, values, strict=True)
    return "".join(f"{_escaped(name)}={OF_NULL if value is None else _escaped(value)}/" for name, value in pairs)


def splits_text(splits: Sequence[Split]) -> str:
    return canonical_json([asdict(split) for split in splits])


def parse_splits(text: str | bytes) -> tuple[Split, ...]:
    """The other way of `splits_text`; only ever of our own."""
    return tuple(Split(**{**values, "values": tuple(values["values"])}) for values in json.loads(text))


def check_objects(objects: int) -> None:
    """Raises PipelineError for more than a manifest should name."""
    if objects > MOST_OBJECTS:
        message = f"the result would be more than {MOST_OBJECTS:,} objects, one for each of its values in each part"
        raise PipelineError(
            PARTITION_BY, f"{message}; name columns with fewer values, or add a sort: it joins the parts"
        )


def _escaped(text: str) -> str:
    """What Hive escapes; other characters stand as they are."""
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)
