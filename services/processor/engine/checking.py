"""Types: what each step makes of the columns before it. DuckDB is asked, expression by expression, over no records."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from services.processor.domain.column_types import SCALAR_TYPES, UnknownType, parse_type
from services.processor.domain.pipeline import Pipeline
from services.processor.domain.pipeline_errors import PipelineError, Place
from services.processor.domain.schema_of_records import Column, Schema
from services.processor.domain.splits import PARTITION_BY
from services.processor.domain.sql_text import quote_name, select
from services.processor.domain.steps.names import column_of
from services.processor.domain.steps.shapes import Grouping, Item, Shape, StepSql, Value
from services.processor.domain.steps.step import Step
from services.processor.engine.session import Session, open_describer, plain_words

STAMP_COLUMNS = (Column("processed", "BOOLEAN"), Column("processed_at", "VARCHAR"))


@dataclass(frozen=True, slots=True)
class CheckedStep:
    sql: Shape
    place: Place
    before: Schema
    after: Schema
    needs_all_rows: bool


@dataclass(frozen=True, slots=True)
class CheckedPipeline:
    """A pipeline that fits its input. `output` holds the stamp, too, and the columns that the result is split by."""

    input: Schema
    steps: tuple[CheckedStep, ...]
    output: Schema
    stamp: bool
    partition_by: tuple[Column, ...] = ()

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns of a file."""
        return tuple(column for column in self.output if column not in self.partition_by)

    @property
    def makes_a_record(self) -> bool:
        """Whether something comes out even where nothing goes in: totals."""
        return any(isinstance(step.sql, Grouping) and not step.sql.keys for step in self.steps)


def check(pipeline: Pipeline, schema: Schema) -> CheckedPipeline:
    """Raises PipelineError, which names the step and the column."""
    if not pipeline.steps:
        return _checked_pipeline(pipeline, schema, ())
    with open_describer() as session:
        return check_in(session, pipeline, schema)


def check_in(session: Session, pipeline: Pipeline, schema: Schema) -> CheckedPipeline:
    """The same in a session that is there already.

    Where no object has any record there are no columns, so there is nothing to check, nor to run.
    """
    steps: list[CheckedStep] = []
    for step in pipeline.steps if schema.columns else ():
        before = steps[-1].after if steps else schema
        steps.append(_checked(step, before, session))
    return _checked_pipeline(pipeline, schema, steps)


def _checked_pipeline(pipeline: Pipeline, schema: Schema, steps: Sequence[CheckedStep]) -> CheckedPipeline:
    last = steps[-1].after if steps else schema
    output = stamped(last) if pipeline.stamp and schema.columns else last
    partition_by = _partition_by(pipeline.output.partition_by, output) if schema.columns else ()
    return CheckedPipeline(schema, tuple(steps), output, pipeline.stamp, partition_by)


def _partition_by(names: Sequence[str], output: Schema) -> tuple[Column, ...]:
    columns = tuple(column_of(output, name, PARTITION_BY.at(i)) for i, name in enumerate(names))
    for i, column in enumerate(columns):
        if column.type.split("(")[0] not in SCALAR_TYPES - {"DOUBLE"}:
            message = f'"{column.name}" is {column.type}, whose values are no names for folders'
            raise PipelineError(PARTITION_BY.at(i), f"{message}; derive a text, a whole number or a date from it")
    if len(columns) == len(output.columns):
        raise PipelineError(PARTITION_BY, "no column would be left for the files; name fewer")
    return columns


def stamped(schema: Schema) -> Schema:
    """With the columns of the stamp: in place of those of the same name, or behind all others."""
    columns = {column.name.casefold(): column for column in schema} | {column.name: column for column in STAMP_COLUMNS}
    return Schema(tuple(columns.values()))


def _checked(step: Step, before: Schema, session: Session) -> CheckedStep:
    sql = step.sql(before)
    empty = "(SELECT " + ", ".join(f"CAST(NULL AS {one.type}) AS {quote_name(one.name)}" for one in before) + ")"
    if isinstance(sql, StepSql) and sql.where is not None:
        found = _type_of(sql.where, empty, before, session)
        if found != "BOOLEAN":
            found = found.strip('"')
            raise PipelineError(
                sql.where.place, f'a filter must be BOOLEAN (true or false), this is {found}; compare it, as in "x > 0"'
            )
    columns = tuple(Column(item.name, item.type or _column_type(item, empty, before, session)) for item in sql.items)
    return CheckedStep(sql, step.place, before, Schema(columns), step.needs_all_rows)


def _column_type(item: Item, empty: str, before: Schema, session: Session) -> str:
    found = _type_of(item.value, empty, before, session)
    try:
        return parse_type(found)
    except UnknownType:
        remedy = "say which by CAST(NULL AS …)" if "NULL" in found else "CAST it to one, as in CAST(x AS VARCHAR)"
        raise PipelineError(item.value.place, f"{found.strip(chr(34))} is no type for a column; {remedy}") from None


def _type_of(value: Value, empty: str, before: Schema, session: Session) -> str:
    used = [f"{one.name} {one.type}" for one in before if quote_name(one.name) in value.sql]
    try:
        [(_, found)] = session.columns(select(f"{value.sql} AS x", empty))
    except duckdb.Error as error:
        columns = f" (here: {', '.join(used)})" if used else ""
        message = f"{plain_words(error)}{columns}; CAST a value, or say its type in config.input.schema"
        raise PipelineError(value.place, message) from None
    if not used:
        _compute_once(value, session)
    return found


def _compute_once(value: Value, session: Session) -> None:
    """It is the same for each record, so no record is to blame. Of any type, so only its hash is fetched."""
    try:
        session.rows(f"SELECT hash({value.sql})")
    except duckdb.Error as error:
        raise PipelineError(value.place, plain_words(error)) from None
