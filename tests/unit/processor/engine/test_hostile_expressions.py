"""Whatever an expression says, it gives a result or a clear error, within the walls: time, memory, files, settings.

Longer, by hand: `--hypothesis-profile long`.
"""

import json
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.domain.expression_sql import _SAY
from services.processor.domain.expressions import parse_tree
from services.processor.domain.formats import NDJSON, Encoding
from services.processor.domain.pipeline import parse_config
from services.processor.domain.pipeline_errors import CONFIG, PipelineError, Place, RecordError
from services.processor.domain.schema_of_records import schema_from_json
from services.processor.engine.checking import check_in
from services.processor.engine.files import PlainFile
from services.processor.engine.running import run_plain
from services.processor.engine.session import EngineLimits, Session, Stop, open_session
from services.processor.engine.writing import OutputFile
from shared.clock import monotonic
from tests.unit.processor.engine import hostile_expressions as hostile
from tests.unit.processor.engine.conftest import MIB

SCHEMA = schema_from_json(hostile.COLUMNS)
MADE = {"derive": {"deep": "[[dbl, NULL], []]", "parts": "TRY_CAST(js AS JSON[])"}}
RECORDS = [
    {
        "flag": True, "i8": 1, "i16": 2, "i32": 3, "i64": 4, "i128": 5, "u64": 6, "dbl": 1.5, "dec": "2.5",
        "txt": "abc", "long": "aab" * 3000, "dat": "2026-11-23", "tim": "12:34:56", "ts": "2026-11-23 12:34:56",
        "tz": "2026-11-23 12:34:56+00", "js": {"x": "2", "a/b~c": [1]}, "texts": ["p", "q"], "numbers": [3, 1, 2],
    },
    {
        "flag": False, "i8": -128, "i16": -32768, "i32": -(2**31), "i64": -(2**63), "i128": -(2**127) + 1,
        "u64": 2**64 - 1, "dbl": 1.7e308, "dec": "-9999999999999999999999999999.9999999999", "txt": "",
        "long": "🦟" * 9000,
        "dat": "0001-01-01", "tim": "23:59:59.999999", "ts": "9999-12-31 23:59:59.999999",
        "tz": "1969-12-31 23:59:59+00",
        "js": [1, {"x": [None]}], "texts": [], "numbers": [None, 2**63 - 1],
    },
    {"txt": "'; DROP TABLE x; --", "long": "%" * 1001, "js": "4.7", "texts": [None], "numbers": []},
    {},
]  # fmt: skip
MEMORY_BYTES, DEADLINE_SECONDS = 200 * MIB, 10
LONGEST_REASON = 1000
SLACK_SECONDS, SLACK_BYTES = 10, 100 * MIB
_THEIR_WORDS = ("SELECT", "LINE 1", "Error:", "\n", "failing", "Invalid Input", "sqlglot", "INTERNAL")


class Walls:
    """A folder with one input, and what may be there and no more when an expression was run."""

    def __init__(self, folder: Path) -> None:
        self.input, self.output, self.work = folder / "input", folder / "output", folder / "work"
        self.input.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
        self._folder = folder

    def refusal_of(self, step: dict[str, object], place: Place) -> str | None:
        """Nothing but an error that names the place, or none."""
        try:
            self._run(step)
        except PipelineError as error:
            reason, is_named = error.message, error.place == place
        except RecordError as error:
            reason = error.detail
            is_named = str(place) in reason or 'column "new": ' in reason
        else:
            return None
        assert is_named, reason
        return reason

    def _run(self, step: dict[str, object]) -> None:
        started, peak = monotonic(), _peak_bytes()
        pipeline = parse_config({"transformations": [MADE, step]})
        with open_session(EngineLimits(MEMORY_BYTES, 1, DEADLINE_SECONDS, self.work, MIB), Stop()) as session:
            session.may_read([self.input, self.output], with_scratch=True)
            before = _settings(session)
            try:
                checked = check_in(session, pipeline, SCHEMA)
                file = PlainFile(self.input, "a.ndjson", NDJSON)
                target = OutputFile(self.output, Encoding(NDJSON, "none"))
                result = run_plain(checked, [file], target, processed_at="NOW", session=session)
                assert result.records_in == len(RECORDS)
            finally:
                assert _settings(session) == before
        assert monotonic() - started < DEADLINE_SECONDS + SLACK_SECONDS
        assert _peak_bytes() - peak < MEMORY_BYTES + SLACK_BYTES
        assert list(self.work.iterdir()) == []
        assert {path.name for path in self._folder.iterdir()} <= {"input", "output", "work"}


def _settings(session: Session) -> list[tuple[object, ...]]:
    return session.rows("SELECT name, value FROM duckdb_settings() ORDER BY ALL")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Walls:
    return Walls(tmp_path_factory.mktemp("walls"))


def test_what_is_tried_has_each_kind_of_node() -> None:
    texts = [one.replace("{}", "a") for one in (*hostile.UNARY, *hostile.BINARY, *hostile.TERNARY)]
    texts += [one.format("a", "INT") for one in hostile.CASTS] + hostile.CONSTANTS + hostile.PARTS_OF_JSON
    trees = [parse_tree(text, CONFIG) for text in (*texts, "upper(a)")]
    assert set(_SAY) <= {type(node) for tree in trees for node in tree.walk()}


@given(expression=hostile.expressions(), template=st.sampled_from(["{}", "{}", "({}) IS NULL", "CAST({} AS VARCHAR)"]))
def test_any_expression_gives_a_result_or_a_clear_error(walls: Walls, expression: str, template: str) -> None:
    derived = template.replace("{}", expression)
    check_reason(
        walls.refusal_of({"derive": {"new": derived}}, CONFIG.at("transformations", 1, "derive", "new")), derived
    )


@given(expression=hostile.nearly_expressions())
def test_any_text_gives_a_result_or_a_clear_error(walls: Walls, expression: str) -> None:
    check_reason(walls.refusal_of({"filter": expression}, CONFIG.at("transformations", 1, "filter")), expression)


def check_reason(reason: str | None, expression: str) -> None:
    if reason is not None:
        assert reason.isprintable(), reason
        assert len(reason) < LONGEST_REASON, reason
        assert not any(word in reason for word in _THEIR_WORDS if word not in expression), reason
