"""Every cell of docs/reference/values.md is what the engine makes of that value."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from docs.generators.value_cases import VALUES, Row
from services.processor.domain.pipeline_errors import RecordError
from tests.unit.processor.engine.conftest import Engine

ROWS = [row for rows in VALUES.values() for row in rows]
BEFORE = {"json": '[\n\t{"k":1,"v":', "ndjson": '{"k":1,"v":', "csv": "k,v\n1,"}
BEHIND = {"json": "}\n]\n", "ndjson": "}\n", "csv": "\n"}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.form} {row.written} {row.type}" for row in ROWS])
def test_a_value_becomes_what_the_table_says(engine: Engine, row: Row) -> None:
    for objects in objects_of(engine.folder, row):
        for output, expected in (("ndjson", row.json), ("json", row.json), ("csv", row.csv), ("parquet", row.parquet)):
            assert_becomes(engine, objects, output, row.type, expected)


def objects_of(folder: Path, row: Row) -> list[Mapping[str, bytes]]:
    if row.form == "csv":
        return [{"a.csv": f"k,v\n1,{row.written}\n".encode()}]
    if row.form == "parquet":
        path = folder / "in.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"COPY (SELECT 1 AS k, {row.written} AS v) TO '{path}' (FORMAT parquet)")
        return [{"a.parquet": path.read_bytes()}]
    record = '{"k":1}' if row.written is None else f'{{"k":1,"v":{row.written}}}'
    return [{"a.ndjson": record.encode()}, {"a.json": f"[{record}]".encode()}]


def assert_becomes(engine: Engine, objects: Mapping[str, bytes], output: str, column_type: str, expected: str) -> None:
    config: dict[str, object] = {"output": {"format": output}, "stamp": False}
    if column_type:
        config["input"] = {"schema": {"v": column_type}}
    if expected.startswith("error: "):
        with pytest.raises(RecordError) as caught:
            engine.run(objects, config)
        assert expected.removeprefix("error: ") in caught.value.detail
        return
    done = engine.run(objects, config)
    if output == "parquet":
        assert of_parquet(engine.folder, done.content) == expected
    else:
        assert done.text == f"{BEFORE[output]}{expected}{BEHIND[output]}"


def of_parquet(folder: Path, content: bytes) -> str:
    path = folder / "out.parquet"
    path.write_bytes(content)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = f"SELECT typeof(v), coalesce(CAST(v AS VARCHAR), 'NULL') FROM read_parquet('{path}')"  # noqa: S608
        [(column_type, text)] = connection.execute(read).fetchall()
    return f"{column_type}: {text}"
