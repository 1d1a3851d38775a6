"""The same pipelines as others would write them. Run by the Python of `.venv-bench`, a process for each measurement."""
