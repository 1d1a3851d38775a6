"""With Polars: lazily, and by its streaming engine where it reads a format so."""

import io

import polars as pl

from benchmarks.load.peers import stopwatch


def work(kind: str, pipeline: str, content: bytes) -> bytes:
    source = io.BytesIO(content)
    if kind == "json":
        frame = pl.read_json(source).lazy()
    else:
        frame = {"ndjson": pl.scan_ndjson, "csv": pl.scan_csv, "parquet": pl.scan_parquet}[kind](source)
    if pipeline == "filter":
        wanted = (pl.col("status") == stopwatch.STATUS) & (pl.col("amount") > stopwatch.AMOUNT)
        frame = frame.filter(wanted)
    else:
        measures = pl.col("amount").sum().alias("revenue"), pl.len().alias("orders")
        frame = frame.group_by("country").agg(*measures).sort("country")
    result, table = io.BytesIO(), frame.collect(engine="streaming")
    write = {
        "json": table.write_json,
        "ndjson": table.write_ndjson,
        "csv": table.write_csv,
        "parquet": table.write_parquet,
    }
    write[kind](result)
    return result.getvalue()


if __name__ == "__main__":
    stopwatch.run(work)
