"""docs/reference/pipelines.md: what a `config` may say. The steps describe themselves in their modules."""

import inspect
import sys

from docs.generators.markdown import code, page, table
from services.processor.domain.aggregates import AGGREGATES
from services.processor.domain.column_types import TYPE_NAMES
from services.processor.domain.expression_functions import FUNCTIONS
from services.processor.domain.formats import COMPRESSIONS, FORMATS
from services.processor.domain.splits import MOST_FOLDER_BYTES, MOST_OBJECTS, OF_NULL
from services.processor.domain.steps.registry import STEPS
from services.processor.engine.splitting import MOST_FILES

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
| `output.partition_by` | columns by whose values the result is [split](#split-results) into objects |
| `on_bad_record` | what comes of records that can't be used: `fail` (the default), `skip`, `quarantine` |
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
name, rather than give a mixture. So is what a `join` reads."""

_PARQUET = """\
What becomes of each kind of value from format to format stands on the page of [values](values.md).

A zstd is read up to a window of 128 MiB (`zstd --long=27`), and a packed object of several members as one.

Parquet packs its columns itself (zstd when we write, whatever a file has when we read), so there is no compression
around it. It is written in one thread, so that the bytes are the same in every run. Its types hold: FLOAT is read as
DOUBLE, unsigned integers as the next wider ones, UUID as VARCHAR, and nanoseconds as TIMESTAMP unless that would
change a value. Structs, maps, bytes, intervals and times of day with a zone are errors that name the column. A
HUGEINT is written as DECIMAL(38,0), and one of 39 digits is an error. NaN and infinity can't go on from Parquet to
JSON. Several parts of Parquet can't be fetched as one (`parts-stand-alone`).

A Parquet larger than `MAYFLY_PARTITION_BYTES` is cut between its row groups: each part reads some of them, and the
footer. So an object may have any size, and a part takes the disk of its row groups. One that takes more than
`MAYFLY_ENGINE_MAX_PLAIN_MB`, or a footer of more than 16 MiB, is an error that says so. A preview reads the footer
and the row groups that end within the first `MAYFLY_PREVIEW_BYTES`, or the first one, if it has at most 128 MiB, and
shows what becomes of the first 10,000 records of these."""

_SPLIT = f"""\
## Split results

`"output": {{"partition_by": ["day", "country"]}}` splits the result into an object for each pair of values, in the
folders that Athena, Glue, Spark and DuckDB read ([how to query them](../how-to/query-split-results.md)):

```text
jobs/…/data/day=2026-11-23/country=DE/part-00000-….parquet
jobs/…/data/day=2026-11-23/country=__HIVE_DEFAULT_PARTITION__/part-00000-….parquet
```

- It works with every format, compression and step. Records keep their order within an object. Each part of a job
  makes objects of its own; without records it makes none.
- The columns stand in the names of the folders and not in the files, as Hive has it. So at least one other column
  is needed.
- A value is written as text, in UTC where it has a zone: `true`, `-7`, `1.50`, `2026-11-23`, `2026-11-23
  10%3A20%3A30`. Escaped by `%` and two digits are control characters and `" # % ' * / : = ? \\ {{ [ ] ^`. Null is
  `{OF_NULL}`.
- The columns are texts, whole numbers, DECIMAL, BOOLEAN, dates or times. DOUBLE, JSON and lists are errors that
  name the column.
- So are an empty text and the text `{OF_NULL}`, which readers take for null, and values whose folders have more
  than {MOST_FOLDER_BYTES} bytes.
- A part has at most {MOST_FILES:,} different values, a result {MOST_OBJECTS:,} objects; more are an error that says
  so. Where many parts make many small objects, a `sort` before the end joins the parts into one.
- `GET /api/results/{{id}}` answers with the manifest and the links, also where there is one object. Each has its
  values under `partition`. With `combined=true` it is a 409 `parts-stand-alone`: the values would be lost.
- A preview shows records with all of their columns."""

_STEPS = """## Steps

Each is an object with one key. Column names are matched without regard to case."""

_ALL_ROWS = """\
`sort`, `limit`, `deduplicate` and `aggregate` look at all records. Of a large job the steps before the first of them
are done part by part, and one worker does the others over what these keep. What does not fit
`MAYFLY_ENGINE_MEMORY_MB` goes to its disk, where need be in one thread and step by step. In memory alone are kept
what `MEDIAN` is of, and texts as `MIN`, `MAX`, `FIRST` or `LAST`. Where it does not do, the job fails with
`memory-exceeded`.

A `join` looks at one record at a time: each part of a job joins its own records with all of the other source, which
it reads itself. A pipeline has at most 10.

The aggregates are these, and no others:"""

_SUMS = """\
`SUM` of whole numbers is a HUGEINT and never rounded, that of DECIMAL is a DECIMAL. `SUM` and `AVG` of DOUBLE
are added exactly within numbers of about the same size and rounded once for each size, so they give the same in
every run, whatever the number of threads; numbers below 2^-960 count as multiples of 2^-1012."""

_BAD_RECORDS = """\
## Bad records

A record is bad if it can't be read as what it should be (no JSON, a row with a field too many, a text where the column
holds numbers, a key that no column has, a byte that is no UTF-8), or if an expression, a cast, or writing its values
fails for it. `on_bad_record` says what comes of that:

| policy | what happens |
| --- | --- |
| `fail` | the first bad record ends the job, and the error names it |
| `skip` | bad records are left out and counted |
| `quarantine` | they are left out, counted, and kept beside the result |

The result of `skip` and `quarantine` is that of the same objects without the bad records. `rejected_size` in the status
and `counts` in the manifest say how many there were. `GET /api/results/{id}` with `Accept: application/json` links to
the kept ones under `rejected`; the manifest names these files with their SHA-256. They are NDJSON, a line for each:

```json
{"object":"s3…","record":7,"column":"n","reason":"… is no BIGINT …","byte":61,"bytes":8,"raw":"{\\"n\\":\\"x\\"}"}
```

`byte` is where the record begins in the object, once it is unpacked, and `bytes` its length; `record` counts from 1,
in a large text from `from_byte` on, where the part begins. `raw` is the record as it was, or `raw_base64` where it is
no UTF-8, without what is beyond 16 MiB; of Parquet its values as JSON. At most a thousand records for which one
expression fails have its own words as the reason in each part; of the others only the place is told.

- What can't be cut into records fails as ever: an array that is no JSON, a quote that is never closed, half a gzip.
- A job all of whose records are bad completes, with an empty result. Look at `rejected_size` if that should not pass.
- What a `join` reads has to be right: a bad record there ends the job.
- Behind the first step that needs all records, and in what it computes, an expression that fails still ends the job:
  what comes out there is not of one record alone. Put a `cast` or a `derive` that may fail before it.
- JSON columns get the type that most of their values have in the first records, so that one bad value that comes first
  makes no others bad. A CSV column with any text in it is a text: say `input.schema`, if it should hold numbers."""

_EXAMPLE = """\
## An example

Orders, of which some came twice, joined with the names of countries and added up. The orders:

```csv
id,country,price,qty,changed
1,CH,2.5,2,2026-11-01
2,DE,4,1,2026-11-01
1,CH,2.5,4,2026-11-03
3,FR,1.25,8,2026-11-02
4,CH,10,1,2026-11-02
```

`s3://mayfly-data/inputs/usr_…/countries.csv`:

```csv
country,name
CH,Switzerland
DE,Germany
```

The `config`:

```json
{
  "transformations": [
    {"deduplicate": {"by": ["id"], "keep": "last", "order_by": ["changed"]}},
    {"join": {"source": "s3://mayfly-data/inputs/usr_…/countries.csv", "on": ["country"]}},
    {"derive": {"name": "coalesce(name, 'elsewhere')"}},
    {"aggregate": {"by": ["name"], "measures": {"orders": "COUNT(*)", "revenue": "SUM(price * qty)"}}},
    {"sort": ["-revenue"]},
    {"limit": 2}
  ],
  "stamp": false
}
```

The result:

```csv
name,orders,revenue
Switzerland,2,20.0
elsewhere,1,10.0
```"""

_EXPRESSIONS = """## Expressions

SQL scalar expressions over the record's columns, as DuckDB understands them: arithmetic, comparison, `AND OR NOT`,
`||`, `IN`, `BETWEEN`, `LIKE`, `ILIKE`, `IS NULL`, `CASE`, `CAST(… AS …)`, `TRY_CAST`, `EXTRACT`. They are pure: no
clock, no chance, no files, no settings. At most 4,000 characters, 400 parts, 40 levels. A part of a JSON column is
`address.city`, or `address ->> '$.city'`. The functions are these, and no others:"""


def pipelines_page() -> str:
    return page(
        "Pipelines",
        _INTRODUCTION,
        _formats(),
        _SOURCES,
        _SPLIT,
        _STEPS,
        _steps(),
        _ALL_ROWS,
        _aggregates(),
        _SUMS,
        _EXAMPLE,
        _BAD_RECORDS,
        _types(),
        _EXPRESSIONS,
        _functions(),
    )


def _formats() -> str:
    rows = [[code(known.name), ", ".join(map(code, known.suffixes))] for known in FORMATS.values()]
    compressions = ", ".join(map(code, COMPRESSIONS))
    return f"## Formats\n\n{table(['format', 'file names'], rows)}\n\nCompression: {compressions}.\n\n{_PARQUET}"


def _steps() -> str:
    documentation = (inspect.getdoc(sys.modules[parse.__module__]) for parse in STEPS.values())
    return "\n".join(f"- {' '.join((text or '').split())}" for text in documentation)


def _aggregates() -> str:
    return ", ".join(code(name.upper()) for name in AGGREGATES) + ", and `COUNT(DISTINCT x)`."


def _types() -> str:
    return f"## Types\n\n{', '.join(map(code, TYPE_NAMES))}, and lists of them (`BIGINT[]`)."


def _functions() -> str:
    return ", ".join(code(name) for name in sorted(FUNCTIONS)) + "."
