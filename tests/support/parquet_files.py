"""Parquet as other writers may make it."""

from pathlib import Path

import duckdb


def parquet(folder: Path, query: str, options: str = "FORMAT parquet") -> bytes:
    path = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' ({options})")
    return path.read_bytes()


def grouped_parquet(folder: Path, query: str, options: str = "") -> bytes:
    """Of 2048 records in each row group, the fewest that DuckDB puts into one."""
    return parquet(folder, query, f"FORMAT parquet, ROW_GROUP_SIZE 2048{options}")
