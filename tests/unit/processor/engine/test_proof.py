"""What the quick proof takes for good is good: the slow scan says the same of each of its records."""

import json
from pathlib import Path

import duckdb
import pytest

from services.processor.domain.column_types import SCALAR_TYPES, parse_type
from services.processor.domain.formats import JSON, NDJSON
from services.processor.domain.pipeline_errors import RecordError
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.engine.files import PlainFile
from services.processor.engine.formats.registry import record_format
from services.processor.engine.session import EngineLimits, Session, Stop, open_session
from services.processor.engine.verifying import count_records
from tests.unit.processor.engine.conftest import MIB, Engine

TYPES = sorted({parse_type(one) for one in SCALAR_TYPES} | {"JSON", "BIGINT[]", "DOUBLE[]", "VARCHAR[]"})
VALUES = [
    *("0", "-0", "7", "-7", "127", "128", "2147483648", "9007199254740993", "-9007199254740993"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 30),
    *("0.0", "-0.0", "4.7", "1e3", "1E3", "1e-3", "0.1234567890123456789", "12345678901234567.5"),
    *('""', '"x"', '"4"', '"4.7"', '"true"', '"null"', '"2026-11-23"', '"\\u0022"', '"#"', '"é"', '"\\n"', '"25:00"'),
    *("true", "false", "null", "[]", "[1]", '["x"]', "[null]", "[1.5]", "[[1]]", "{}", '{"a":1}'),
]


def proven(session: Session, file: PlainFile, schema: Schema) -> bool:
    proof = record_format(file.format).proof(file, schema)
    assert proof is not None
    try:
        if {name for name, _ in session.columns(proof.records)} != set(schema.names):
            return False
        return session.rows(f"SELECT bool_and(coalesce({proof.fits}, FALSE)) FROM ({proof.records})") == [(True,)]  # noqa: S608 - our own
    except duckdb.Error:
        return False


def scanned(session: Session, file: PlainFile, schema: Schema) -> bool:
    scan = record_format(file.format).scan(file, schema)
    good = " AND ".join([scan.is_record, *scan.fits])
    return session.rows(f"SELECT count_if(NOT ({good})) FROM ({scan.raw})") == [(0,)]  # noqa: S608 - our own


@pytest.mark.parametrize("column_type", TYPES)
def test_no_value_is_proven_that_a_scan_refuses(tmp_path: Path, column_type: str) -> None:
    schema = Schema((Column("a", column_type), Column("b", "VARCHAR")))
    files = [tmp_path / f"{i}.ndjson" for i in range(len(VALUES))]
    agreed = 0
    with open_session(EngineLimits(100 * MIB, 1, 60, tmp_path / "work", MIB), Stop()) as session:
        session.may_read(files)
        for path, value in zip(files, VALUES, strict=True):
            path.write_text(f'{{"a":{value},"b":"x"}}\n', encoding="utf-8")
            file = PlainFile(path, path.name, NDJSON)
            if proven(session, file, schema):
                assert scanned(session, file, schema), value
                agreed += 1
    assert agreed


ODD = ["null", "{}", '{"a":null}', '{"a":1,"a":1}', '{"a":1,"c":null}', '{"a":1,"A":1}', '{"A":1}', "5", '"a"', "[]"]


@pytest.mark.parametrize("record", ODD)
@pytest.mark.parametrize("column_type", ["BIGINT", "JSON"])
@pytest.mark.parametrize("format_name", ["ndjson", "json"])
def test_nor_is_a_record(tmp_path: Path, record: str, column_type: str, format_name: str) -> None:
    schema = Schema((Column("a", column_type), Column("b", "JSON")))
    path = tmp_path / "file"
    records = ['{"a":1,"b":"x"}'] * 10_000 + [record]
    path.write_text("\n".join(records) if format_name == "ndjson" else f"[{','.join(records)}]")
    file = PlainFile(path, "file", NDJSON if format_name == "ndjson" else JSON)
    with open_session(EngineLimits(400 * MIB, 2, 60, tmp_path / "work", MIB), Stop()) as session:
        session.may_read([path])
        is_proven = proven(session, file, schema)
        assert not is_proven
        scans = [record_format(file.format).scan(file, schema)]
        if record in {"{}", '{"a":null}'}:
            assert count_records([file], scans, schema, session) == 10_001
        else:
            with pytest.raises(RecordError, match="record 10001"):
                count_records([file], scans, schema, session)


def test_good_records_are_proven(tmp_path: Path) -> None:
    names = ["id", 'a "b" \\ ü', "x/y~z", "select", "ok", "no.1", "j"]
    types = ["BIGINT", "VARCHAR", "DOUBLE", "VARCHAR", "BOOLEAN", "HUGEINT", "JSON"]
    schema = Schema(tuple(Column(name, one) for name, one in zip(names, types, strict=True)))
    values: list[object] = [-1, 'é"\\', 1.5, "", False, 10**20, {"id": "x", "new": []}]
    path = tmp_path / "file"
    path.write_text(json.dumps(dict(zip(names, values, strict=True))) + "\n\n" + json.dumps({"id": 1, "select": None}))
    with open_session(EngineLimits(100 * MIB, 1, 60, tmp_path / "work", MIB), Stop()) as session:
        session.may_read([path])
        assert proven(session, PlainFile(path, "file", NDJSON), schema)


def test_many_columns_are_proven(tmp_path: Path) -> None:
    names = [f"column{i}" for i in range(500)]
    path = tmp_path / "file"
    path.write_text((json.dumps(dict.fromkeys(names, 1)) + "\n") * 3)
    with open_session(EngineLimits(100 * MIB, 1, 60, tmp_path / "work", MIB), Stop()) as session:
        session.may_read([path])
        schema = Schema(tuple(Column(name, "BIGINT") for name in names))
        assert proven(session, PlainFile(path, "file", NDJSON), schema)


def test_a_column_that_no_record_has_leaves_the_proof_to_the_scan(engine: Engine) -> None:
    config = {"input": {"schema": {"b": "BIGINT"}}, "stamp": False}
    assert engine.run({"a.ndjson": '{"a":1}\n'}, config).text == '{"a":1,"b":null}\n'


@pytest.mark.parametrize("value", ["1e400", "-1.5E400"])
def test_what_is_proven_and_too_large_is_refused_when_it_is_read(engine: Engine, value: str) -> None:
    content = '{"a":1.5}\n' * 9 + f'{{"a":{value}}}\n'
    with pytest.raises(RecordError, match=rf'^a\.ndjson, record 10, column "a": "{value}" is no DOUBLE'):
        engine.run({"a.ndjson": content}, {"input": {"schema": {"a": "DOUBLE"}}})
