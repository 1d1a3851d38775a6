"""docs/reference/pipelines.md: what a `config` may say. The steps describe themselves in their modules."""

import inspect
import sys

from docs.generators.markdown import code, page, table
from services.processor.domain.column_types import TYPE_NAMES
from services.processor.domain.expression_functions import FUNCTIONS
from services.processor.domain.formats import COMPRESSIONS, FORMATS
from services.processor.domain.steps.registry import STEPS

_INTRODUCTION = """A job is a source of records and a `config` that says what becomes of them:

```json
{
  "data_source": "s3://mayfly-data/inputs/usr_…/orders.ndjson",
  "config": {
    "filter_condition": "status = 'paid' AND amount > 10",
    "transformations": [
      {"derive": {"total": "price * quantity"}},
      {"sort": ["-total"]},
      {"limit": 100}
    ],
    "input": {"format": "ndjson", "schema": {"price": "DECIMAL(10,2)"}},
    "output": {"format": "csv", "compression": "gzip"},
    "stamp": false
  }
}
```

Everything in `config` is optional; an empty one gives every record back, with the stamp. An unknown key is an error
that names the nearest known one. `POST /api/preview` shows what a pipeline does with the first records, and writes
nothing.

| key | meaning |
| --- | --- |
| `filter_condition` | a first filter: an expression that is true or false |
| `transformations` | a list of steps, done in this order |
| `input.format`, `input.compression` | how the source is written; found by name and content if left out |
| `input.schema` | types of columns that are not to be guessed, and columns that the first records don't show |
| `output.format`, `output.compression` | how the result is written; as the input if left out |
| `stamp` | by default `true`: each record gets `processed` (true) and `processed_at` (when the job was accepted) |"""

_SOURCES = """## Sources

`data_source` is one of these, or a list of them, below the caller's own prefixes (`POST /api/uploads` gives one) or
below those that `MAYFLY_SHARED_SOURCE_PREFIXES` names:

| source | reads |
| --- | --- |
| `s3://bucket/key.csv` | one object |
| `s3://bucket/folder/` | every object below |
| `s3://bucket/folder/*.ndjson.gz` | those that match: `*` any characters but `/`, `?` one, `**` any folders |
| `test` | a hundred made-up records; local mode only |

What is read is pinned when the job is planned: an object that changes before it was read makes the job fail with its
name, rather than give a mixture."""

_STEPS = """## Steps

Each is an object with one key. Column names are matched without regard to case."""

_EXPRESSIONS = """## Expressions

SQL scalar expressions over the record's columns, as DuckDB understands them: arithmetic, comparison, `AND OR NOT`,
`||`, `IN`, `BETWEEN`, `LIKE`, `ILIKE`, `IS NULL`, `CASE`, `CAST(… AS …)`, `TRY_CAST`, `EXTRACT`. They are pure: no
clock, no chance, no files, no settings. At most 4,000 characters, 400 parts, 40 levels. A part of a JSON column is
`address.city`, or `address ->> '$.city'`. The functions are these, and no others:"""


def pipelines_page() -> str:
    return page(
        "Pipelines", _INTRODUCTION, _formats(), _SOURCES, _STEPS, _steps(), _types(), _EXPRESSIONS, _functions()
    )


def _formats() -> str:
    rows = [[code(known.name), ", ".join(map(code, known.suffixes))] for known in FORMATS.values()]
    compressions = ", ".join(map(code, COMPRESSIONS))
    return f"## Formats\n\n{table(['format', 'file names'], rows)}\n\nCompression: {compressions}."


def _steps() -> str:
    documentation = (inspect.getdoc(sys.modules[parse.__module__]) for parse in STEPS.values())
    return "\n".join(f"- {' '.join((text or '').split())}" for text in documentation)


def _types() -> str:
    return f"## Types\n\n{', '.join(map(code, TYPE_NAMES))}, and lists of them (`BIGINT[]`)."


def _functions() -> str:
    return ", ".join(code(name) for name in sorted(FUNCTIONS)) + "."
