"""Example bodies for the documentation page; the first is the smallest that does something."""

from typing import Any

PROCESS_EXAMPLES: dict[str, Any] = {
    "smallest": {
        "summary": "A hundred made-up records, stamped (local mode)",
        "value": {"data_source": "test", "config": {}},
    },
    "filter and derive": {
        "summary": "Records of my own",
        "description": "Upload them with `POST /api/uploads` first, which gives the `data_source`.",
        "value": {
            "processing_id": "orders-2026-11-23",
            "data_source": "s3://mayfly-data/inputs/usr_ada/upl_1/orders.ndjson",
            "config": {
                "filter_condition": "status = 'paid' AND amount > 10",
                "transformations": [
                    {"derive": {"total": "price * quantity"}},
                    {"drop": ["card"]},
                    {"sort": ["-total"]},
                    {"limit": 100},
                ],
                "output": {"format": "csv"},
            },
        },
    },
    "dry run": {
        "summary": "What would it read, and what would it cost?",
        "value": {"data_source": "test", "config": {"filter_condition": "id >= 90"}, "dry_run": True},
    },
}
PREVIEW_EXAMPLES: dict[str, Any] = {
    "smallest": {
        "summary": "Made-up records as they are (local mode)",
        "value": {"data_source": "test", "config": {}},
    },
    "with a pipeline": {
        "summary": "A filter and a new column",
        "value": {
            "data_source": "test",
            "config": {"filter_condition": "id >= 90", "transformations": [{"derive": {"twice": "id * 2"}}]},
        },
    },
}
UPLOAD_EXAMPLES: dict[str, Any] = {
    "records": {
        "summary": "One object a line, packed",
        "value": {"filename": "orders.ndjson.gz", "content_type": "application/gzip", "size": 1048576},
    },
    "smallest": {"summary": "Only a name", "value": {"filename": "orders.csv"}},
    "large": {"summary": "In parts", "value": {"filename": "orders.ndjson", "size": 10737418240}},
}
COMPLETION_EXAMPLES: dict[str, Any] = {
    "all parts": {
        "summary": "All parts were sent",
        "value": {
            "data_source": "s3://mayfly-data/inputs/user_testuser/upl_4w3mzsvq5yqkxjz6fq2m7c5m3e/orders.ndjson",
            "upload_id": "the upload_id that POST /api/uploads gave",
            "parts": 160,
        },
    },
}
PIPELINE_EXAMPLES: dict[str, Any] = {
    "smallest": {"summary": "No source of its own: each run names one", "value": {"config": {}}},
    "with a source": {
        "summary": "Reads the same prefix in each run",
        "value": {
            "data_source": "test",
            "config": {"filter_condition": "id >= 90", "transformations": [{"derive": {"twice": "id * 2"}}]},
        },
    },
}
