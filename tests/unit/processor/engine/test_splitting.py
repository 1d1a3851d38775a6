"""A result that is split by values of its columns."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from services.processor.domain.pipeline_errors import PipelineError, RecordError
from services.processor.domain.splits import split_folder
from services.processor.engine.splitting import MOST_FILES
from tests.unit.processor.engine.conftest import Done, Engine

ORDERS = [
    {"id": 1, "day": "2026-11-23", "country": "DE"},
    {"id": 2, "day": "2026-11-23", "country": None},
    {"id": 3, "day": "2026-11-22", "country": "DE"},
    {"id": 4, "day": "2026-11-23", "country": "DE"},
]


def as_lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def split_by(*names: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of a config
    output = {"partition_by": list(names), **more.pop("output", {})}
    return {"output": output, "stamp": False, **more}


def texts(done: Done) -> dict[str, str]:
    return {folder: content.decode() for folder, content in done.splits.items()}


def test_records_of_the_same_values_lie_together_in_their_order(engine: Engine) -> None:
    done = engine.run({"in.ndjson": as_lines(ORDERS)}, split_by("day", "country"))
    assert list(texts(done).items()) == [
        ("day=2026-11-22/country=DE/", '{"id":3}\n'),
        ("day=2026-11-23/country=DE/", '{"id":1}\n{"id":4}\n'),
        ("day=2026-11-23/country=__HIVE_DEFAULT_PARTITION__/", '{"id":2}\n'),
    ]
    assert (done.result.records_out, [one.records for one in done.result.splits]) == (4, [1, 2, 1])


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"format": "ndjson"}, b'{"id":1}\n{"id":4}\n'),
        ({"format": "csv"}, b"id\n1\n4\n"),
        ({"format": "json"}, b'[\n\t{"id":1},\n\t{"id":4}\n]\n'),
    ],
)
def test_each_file_is_whole_by_itself(engine: Engine, output: dict[str, str], expected: bytes) -> None:
    config = split_by("day", output=output, transformations=[{"filter": "country = 'DE'"}, {"drop": ["country"]}])
    assert engine.run({"in.ndjson": as_lines(ORDERS)}, config).splits["day=2026-11-23/"] == expected
    config["output"]["compression"] = "gzip"
    packed = engine.run({"in.ndjson": as_lines(ORDERS)}, config)
    assert gzip.decompress(packed.splits["day=2026-11-23/"]) == expected


def test_a_reader_of_hive_folders_finds_what_was_split(engine: Engine, tmp_path: Path) -> None:
    values = ["Zürich", "a/b", "50%=half", "two words", "quote'\"", "{x}^[y]", "tab\t", "..", None]
    records = [{"id": i, "city": value, "n": i * 2} for i, value in enumerate(values)]
    config = split_by("city", output={"format": "parquet"})
    for folder, content in engine.run({"in.ndjson": as_lines(records)}, config).splits.items():
        (tmp_path / "data" / folder).mkdir(parents=True)
        (tmp_path / "data" / folder / "part.parquet").write_bytes(content)
    read = f"read_parquet('{tmp_path}/data/*/*.parquet', hive_partitioning = true, hive_types_autocast = false)"
    found = duckdb.execute(f"SELECT id, city, n FROM {read} ORDER BY id").fetchall()  # noqa: S608 - our own
    assert found == [(record["id"], record["city"], record["n"]) for record in records]


@pytest.mark.parametrize(
    ("type_name", "said", "folder"),
    [
        ("BIGINT", "-7", "v=-7/"),
        ("HUGEINT", "7", "v=7/"),
        ("BOOLEAN", "true", "v=true/"),
        ("DECIMAL(6,2)", "1.5", "v=1.50/"),
        ("DATE", "2026-11-23", "v=2026-11-23/"),
        ("TIMESTAMP", "2026-11-23 10:20:30", "v=2026-11-23 10%3A20%3A30/"),
        ("TIMESTAMPTZ", "2026-11-23T10:20:30+01:00", "v=2026-11-23 09%3A20%3A30+00/"),
        ("TIME", "10:20:30", "v=10%3A20%3A30/"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_folders_have_the_same_names_in_every_format(
    engine: Engine, form: str, type_name: str, said: str, folder: str
) -> None:
    config = split_by("v", output={"format": form}, transformations=[{"cast": {"v": type_name}}])
    stated = config | {"input": {"schema": {"v": "VARCHAR"}}}
    assert list(engine.run({"in.csv": f"id,v\n1,{said}\n"}, stated).splits) == [folder]


def test_what_hive_escapes_is_escaped_in_names_too() -> None:
    assert split_folder(["a=b", "é"], ["x:y\x7f", None]) == "a%3Db=x%3Ay%7F/é=__HIVE_DEFAULT_PARTITION__/"


def test_the_stamp_is_a_column_like_any(engine: Engine) -> None:
    config = split_by("processed_at") | {"stamp": True}
    assert texts(engine.run({"in.csv": "id\n1\n"}, config)) == {"processed_at=NOW/": "id,processed\n1,true\n"}


def test_no_records_make_no_file(engine: Engine) -> None:
    for content in ("id,v\n", ""):
        done = engine.run({"in.csv": content}, split_by("v"))
        assert (done.splits, done.result.records_out) == ({}, 0)


def test_bad_records_are_left_out_before(engine: Engine) -> None:
    config = split_by("v", on_bad_record="quarantine", transformations=[{"derive": {"w": "10 // id"}}])
    done = engine.run({"in.ndjson": '{"id":1,"v":"a"}\n{"id":0,"v":"a"}\nbad\n'}, config)
    assert texts(done) == {"v=a/": '{"id":1,"w":10}\n'}
    assert [one["record"] for one in done.rejects] == [2, 3]


def test_a_value_that_can_not_be_written_is_blamed(engine: Engine) -> None:
    config = split_by("v", transformations=[{"derive": {"w": "CAST('nan' AS DOUBLE) * id"}}])
    with pytest.raises(RecordError) as caught:
        engine.run({"in.ndjson": '{"id":1,"v":"a"}\n'}, config)
    assert (caught.value.record, "is no number in JSON" in caught.value.detail) == (1, True)


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_bytes_are_the_same_whatever_the_memory_and_the_threads(
    new_engine: Callable[..., Engine], form: str, *, staged: bool
) -> None:
    lines = {
        f"{name}.ndjson": as_lines([{"id": i, "k": i % 97, "t": f"{i * 7919 % 10_007:090}"} for i in range(5000)])
        for name in "ab"
    }
    config = split_by("k", output={"format": form}, transformations=[{"sort": ["t"]}])
    found = [
        new_engine(threads=threads, memory_bytes=memory << 20).run(lines, config, staged=staged).splits
        for threads, memory in ((1, 400), (4, 100))
    ]
    assert len(found[0]) == 97
    assert found[0] == found[1]


WRONG = [
    (["when"], {}, "[0]", 'no column "when"; known: "id", "day", "country"'),
    (["id", "day", "country"], {}, "", "no column would be left for the files; name fewer"),
    (["x"], {"x": "id / 2"}, "[0]", '"x" is DOUBLE, whose values are no names for folders; derive a text, a whole'),
    (["x"], {"x": "string_split(day, '-')"}, "[0]", '"x" is VARCHAR[], whose values are no names for folders'),
    (["x"], {"x": "CAST('{}' AS JSON)"}, "[0]", '"x" is JSON, whose values are no names for folders'),
    (["x"], {"x": "''"}, "", '"x" has an empty text, which no folder can tell from null'),
    (
        ["x"],
        {"x": "'__HIVE_DEFAULT_PARTITION__'"},
        "",
        '"x" has the text "__HIVE_DEFAULT_PARTITION__", which no folder',
    ),
    (["x"], {"x": f"'{'é' * 149}'"}, "", '"x" has a text that is too long for the name of a folder; 300 bytes'),
]


@pytest.mark.parametrize(("names", "derived", "place", "message"), WRONG)
def test_what_is_wrong_is_named(
    engine: Engine, names: list[str], derived: dict[str, str], place: str, message: str
) -> None:
    config = split_by(*names, **({"transformations": [{"derive": derived}]} if derived else {}))
    with pytest.raises(PipelineError) as caught:
        engine.run({"in.ndjson": as_lines(ORDERS)}, config)
    assert caught.value.detail.startswith(f"config.output.partition_by{place}: {message}")


def test_as_many_values_as_there_may_be_and_one_more(engine: Engine) -> None:
    lines = "id,k\n" + "".join(f"{i},{i % MOST_FILES}\n" for i in range(3 * MOST_FILES))
    assert len(engine.run({"in.csv": lines}, split_by("k")).splits) == MOST_FILES
    with pytest.raises(PipelineError, match='"id" together with the others has more than 1,000 values in one part'):
        engine.run({"in.csv": lines + "x,y\n"}, split_by("k", "id", transformations=[{"derive": {"z": "1"}}]))
