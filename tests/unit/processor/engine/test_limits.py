"""A run stays within its walls: time, memory, files. And its bytes depend on nothing else."""

import contextlib
import gzip
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.processor.domain.pipeline_errors import (
    DeadlineExceeded,
    MemoryExceeded,
    PipelineError,
    RecordError,
    RunCancelled,
)
from services.processor.engine.session import EngineLimits, Stop, engine_version, open_describer, open_session
from shared.clock import monotonic
from tests.unit.processor.engine.conftest import MIB, Engine

NewEngine = Callable[..., Engine]
MANY = "".join(f'{{"id":{i},"k":"{i % 7}","v":{i / 8}}}\n' for i in range(100_000))
SLOW = {"transformations": [{"filter": f"md5(md5(md5(md5(md5(md5(k || {i} || id)))))) <> 'x'"} for i in range(60)]}


WIDE = "".join(f'{{"id":{i},"k":"{i % 7}","v":{i / 8},"t":"{"x" * 700}"}}\n' for i in range(100_000))


@pytest.mark.parametrize(
    "config",
    [
        {"filter_condition": "v > 100 AND k <> '3'", "output": {"compression": "gzip"}},
        {
            "transformations": [{"derive": {"w": "v * 3.1"}}, {"sort": ["-k"]}, {"limit": 20_000}],
            "output": {"format": "csv"},
        },
        {
            "transformations": [
                {"aggregate": {"measures": {"s": "SUM(sin(v) * 1e5)", "a": "AVG(cos(v))"}}},
            ]
        },
        {"transformations": [{"deduplicate": {"by": ["k"], "keep": "last"}}, {"drop": ["t"]}]},
    ],
    ids=range(4),
)
def test_the_same_work_gives_the_same_bytes(new_engine: NewEngine, config: object) -> None:
    """The input is larger than what one thread of the engine takes at once."""
    first, second = (
        new_engine(threads=threads, sample_bytes=10_000).run({"a.ndjson": WIDE}, config).content for threads in (1, 4)
    )
    assert first == second


def test_a_run_ends_at_its_deadline(new_engine: NewEngine) -> None:
    with pytest.raises(DeadlineExceeded, match="time limit; split the input, or simplify the pipeline"):
        new_engine(deadline_seconds=0.3).run({"a.ndjson": MANY}, SLOW)


def test_a_run_can_be_cancelled(engine: Engine) -> None:
    timer = threading.Timer(0.3, engine.stop.cancel)
    timer.start()
    with pytest.raises(RunCancelled):
        engine.run({"a.ndjson": MANY}, SLOW)
    timer.join()


def test_a_stop_that_nobody_used_serves_the_next_run(engine: Engine) -> None:
    for _ in range(3):
        assert engine.run({"a.ndjson": MANY}).result.records_out == 100_000


def test_a_run_that_was_cancelled_before_does_nothing(engine: Engine) -> None:
    engine.stop.cancel()
    with pytest.raises(RunCancelled):
        engine.run({"a.ndjson.gz": gzip.compress(b'{"a":1}\n')})


def test_a_slow_search_for_a_bad_record_ends_as_well(new_engine: NewEngine) -> None:
    engine = new_engine(deadline_seconds=0.3, sample_bytes=1000)
    with pytest.raises(DeadlineExceeded):
        engine.run({"a.ndjson": MANY * 3 + "{"}, {})


def test_a_text_that_doubles_and_doubles_runs_into_a_wall(new_engine: NewEngine) -> None:
    steps = [{"derive": {"k": "k || k"}}] * 26
    with pytest.raises(MemoryExceeded, match="more memory than a run may use; filter earlier"):
        new_engine(memory_bytes=150 * MIB).run({"a.ndjson": MANY}, {"transformations": steps})


@pytest.mark.parametrize("call", ["replace({}, 'a', '{}')", "regexp_replace({}, 'a', '{}', 'g')"])
def test_a_text_can_not_be_blown_up_by_replacing(new_engine: NewEngine, call: str) -> None:
    expression = "b"
    for _ in range(4):
        expression = call.format(expression, "a" * 300)
    config = {"transformations": [{"derive": {"c": f"length({expression})"}}]}
    with pytest.raises(
        RecordError, match=r"^a\.ndjson, record 2, column \"c\": .*\.c: the text would grow too long; replace less"
    ):
        new_engine().run({"a.ndjson": '{"b":"-"}\n{"b":"aaaaaaaaa"}\n'}, config)


PUT_TOGETHER = ["b || b", "concat(b, b)", "concat_ws('-', b, b)", "b || (b || 'x')"]
LISTS = ["list_concat([b], [b])", "list_append([b], b)"]


@pytest.mark.parametrize("expression", PUT_TOGETHER + LISTS)
def test_what_is_put_together_is_bounded_and_the_record_named(engine: Engine, expression: str) -> None:
    config = {"transformations": [{"derive": {"c": expression}}]}
    content = '{"b":"-"}\n{"b":"' + "x" * 9000 + '"}\n'
    with pytest.raises(RecordError, match=r'^a\.ndjson, record 2, column "c": .* too long; what is put together has'):
        engine.run({"a.ndjson": content}, config)


def test_a_long_text_may_still_get_an_end(engine: Engine) -> None:
    done = engine.run({"a.csv": "a,b\n1," + "x" * 100_000}, {"transformations": [{"derive": {"b": "'<' || b || '>'"}}]})
    assert f"<{'x' * 100_000}>" in done.text


@pytest.mark.parametrize("expression", ["contains(a, b)", "strpos(a, b) > 0", "a LIKE b", "split_part(a, b, 1) = ''"])
def test_what_is_searched_for_is_bounded(engine: Engine, expression: str) -> None:
    """Or the time would be the product of two long texts."""
    content = '{"a":"x","b":"y"}\n{"a":"x","b":"' + "x" * 1001 + '"}\n'
    with pytest.raises(RecordError, match=r"record 2: .*: the text to search for is too long; it has at most 1,000"):
        engine.run({"a.ndjson": content}, {"filter_condition": expression})


def test_a_text_may_be_too_long_for_a_regular_expression(engine: Engine) -> None:
    content = '{"a":"x"}\n{"a":"' + "a" * 2_000_000 + '"}\n'
    with pytest.raises(RecordError, match=r"record 2: .*: the text is too long for this regular expression; shorten"):
        engine.run({"a.ndjson": content}, {"filter_condition": "regexp_matches(a, '(.*a){40}b')"})


COSTLY = [
    "regexp_matches(a, '(.*a){41}b')",
    "regexp_matches(a, '(a?){49}b')",
    "a LIKE '%' || b || 'y%'",
    "strip_accents(upper(reverse(a))) = sha256(a)",
    "replace(a, b || 'y', '') = ''",
]


@pytest.mark.parametrize("expression", COSTLY)
def test_the_deadline_holds_for_the_costliest_that_stays(new_engine: NewEngine, expression: str) -> None:
    """The engine looks at its clock between records, so one value must not take long."""
    record = '{"a":"' + "a" * 390_000 + '","b":"' + "a" * 900 + '"}\n'
    started = monotonic()
    with contextlib.suppress(DeadlineExceeded):
        new_engine(deadline_seconds=0.5, threads=1).run({"a.ndjson": record}, {"filter_condition": expression})
    assert monotonic() - started < 0.5 + 10  # without the bound it takes a minute and more


def test_a_sort_larger_than_memory_is_spilled(new_engine: NewEngine) -> None:
    config = {"transformations": [{"sort": ["-id"]}, {"select": ["id"]}], "stamp": False}
    done = new_engine(memory_bytes=120 * MIB, threads=1, sample_bytes=10_000).run({"a.ndjson": WIDE * 2}, config)
    assert done.text.startswith('{"id":99999}\n{"id":99999}\n{"id":99998}\n')
    assert done.result.records_out == 200_000


def test_a_split_larger_than_memory_is_spilled(new_engine: NewEngine) -> None:
    """Also where several threads would need more than there is."""
    config = {"output": {"partition_by": ["k"], "format": "csv"}, "stamp": False}
    engine = new_engine(memory_bytes=120 * MIB, threads=4, sample_bytes=10_000, max_plain_bytes=200 * MIB)
    done = engine.run({"a.ndjson": WIDE * 2}, config)
    assert [one.records for one in done.result.splits] == [28572] * 5 + [28570] * 2
    assert done.splits["k=3/"].startswith(b"id,v,t\n3,0.375,xxx")


def test_nothing_is_left_behind(engine: Engine) -> None:
    engine.run({"a.ndjson.gz": gzip.compress(b'{"a":1}\n')})
    with pytest.raises(RecordError):
        engine.run({"a.ndjson.gz": gzip.compress(b'{"a":1}\n{')})
    assert list((engine.folder / "work").iterdir()) == []


ESCAPES = [
    "SELECT * FROM read_text('{other}')",
    "SELECT * FROM read_csv('{other}')",
    "SELECT * FROM '{other}'",
    "SELECT * FROM glob('{folder}/*')",
    "COPY (SELECT 1) TO '{folder}/new'",
    "ATTACH '{folder}/new.db'",
    "EXPORT DATABASE '{folder}/new'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET allowed_paths = ['{other}']",
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "SELECT * FROM 's3://bucket/key.parquet'",
    "SELECT * FROM 'https://127.0.0.1/x.csv'",
    "SELECT * FROM secret_local_variable",
]


@pytest.mark.parametrize("sql", ESCAPES)
def test_the_second_wall_holds_without_the_first(tmp_path: Path, sql: str) -> None:
    secret_local_variable = [1]
    mine, other = tmp_path / "mine.json", tmp_path / "other.csv"
    mine.write_text('{"a":1}\n')
    other.write_text("a\n1\n")
    with open_session(EngineLimits(100 * MIB, 1, 10, tmp_path / "work", MIB), Stop()) as session:
        session.may_read([mine])
        assert session.rows(f"SELECT a FROM read_json('{mine}')") == [(1,)]  # noqa: S608 - that is what is tested
        with pytest.raises(duckdb.Error):
            session.rows(sql.format(folder=tmp_path, other=other))
    assert secret_local_variable == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json", "other.csv", "work"]


def test_who_describes_reads_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    with open_describer() as session, pytest.raises(duckdb.Error):
        session.columns(f"SELECT * FROM read_csv('{file}')")  # noqa: S608 - that is what is tested


def test_the_engine_says_its_version() -> None:
    assert engine_version() == f"duckdb {duckdb.__version__}"


CALLS = """\
NOT {};-({});{} IS NULL;abs({});upper({});length({});sqrt({});ln({});CAST({} AS BIGINT);CAST({} AS DATE)
TRY_CAST({} AS DOUBLE);CAST({} AS VARCHAR);CAST({} AS JSON);regexp_extract({}, '(');regexp_replace({}, '(a*)*b', 'x')
strptime({}, '%Y');pow({}, 999);coalesce({}, 1);CASE WHEN {} THEN 1 END;json_keys({});chr({});string_split({}, '')
list_sort({});date_trunc('x', {});substring({}, 1, 99999999999);concat({}, {})""".replace("\n", ";").split(";")


def expressions() -> st.SearchStrategy[str]:
    """Mostly of fitting types, mostly of fitting values."""
    leaf = st.sampled_from(
        [
            "a",
            "b",
            "f",
            "j.x",
            "j -> '$.x'",
            "l",
            "l[1]",
            "d",
            "1",
            "0",
            "-3",
            "2.5",
            "1e300",
            "'x'",
            "''",
            "'4.7'",
            "NULL",
            "TRUE",
        ]
    )

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.sampled_from(
            ["+", "-", "*", "/", "//", "%", "=", "<", "AND", "OR", "||", "LIKE", "IS DISTINCT FROM"]
        )
        unary = st.sampled_from(CALLS)
        return st.one_of(
            st.tuples(inner, binary, inner).map(lambda parts: f"({' '.join(parts)})"),
            st.tuples(unary, inner).map(lambda parts: parts[0].replace("{}", parts[1])),
        )

    return st.recursive(leaf, more, max_leaves=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=expressions(), as_filter=st.booleans())
def test_whatever_is_computed_the_answer_is_a_result_or_a_clear_error(
    engine: Engine, expression: str, as_filter: bool
) -> None:
    content = '{"a":1,"b":"x","f":1.5,"j":{"x":"2"},"l":["p","q"],"d":"2026-11-23"}\n{"a":-9,"b":"","j":{},"l":[]}\n'
    step = {"filter": expression} if as_filter else {"derive": {"new": expression}}
    try:
        engine.run({"a.ndjson": content}, {"transformations": [step]})
    except (PipelineError, RecordError) as error:
        reason = error.detail
    else:
        return
    assert not any(word in reason for word in ("SELECT", "LINE 1", "Error:", "\n", str(engine.folder)))
