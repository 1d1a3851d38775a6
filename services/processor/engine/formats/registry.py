"""The formats that the engine reads and writes, by the names of `domain.formats`."""

from services.processor.domain.formats import CSV, JSON, NDJSON, PARQUET, Format
from services.processor.engine.formats.csv_records import CSV_RECORDS
from services.processor.engine.formats.json_records import JSON_ARRAYS, NDJSON_RECORDS
from services.processor.engine.formats.parquet_records import PARQUET_RECORDS
from services.processor.engine.formats.record_format import RecordFormat, TextFormat

_RECORD_FORMATS: dict[str, RecordFormat] = {
    JSON.name: JSON_ARRAYS,
    NDJSON.name: NDJSON_RECORDS,
    CSV.name: CSV_RECORDS,
    PARQUET.name: PARQUET_RECORDS,
}
_TEXT_FORMATS: dict[str, TextFormat] = {JSON.name: JSON_ARRAYS, NDJSON.name: NDJSON_RECORDS, CSV.name: CSV_RECORDS}


def record_format(known: Format) -> RecordFormat:
    return _RECORD_FORMATS[known.name]


def text_format(known: Format) -> TextFormat | None:
    """None for a format that packs its columns."""
    return _TEXT_FORMATS.get(known.name)
