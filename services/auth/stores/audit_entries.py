"""Reading the audit trail out of DynamoDB."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.auth.domain.audit_queries import AuditQuery, ViewPage
from services.auth.stores.audit_rows import View, entry_of, views_of_all, views_of_client, views_of_event, views_of_user
from services.auth.stores.tables import AUDIT
from shared.clients.aws import aws_errors
from shared.clients.aws_types import DynamoDBClient

_MOST_LOOKED_AT = 1000
"""Rows of one view that are read for one page, where a filter may drop most of them."""


class AuditEntries:
    """Raises Unavailable when DynamoDB does not answer. What was recorded a moment ago may be missing."""

    def __init__(self, dynamodb: DynamoDBClient, table_prefix: str) -> None:
        self._dynamodb = dynamodb
        self._table = table_prefix + AUDIT

    async def pages(self, query: AuditQuery, *, most: int, before: str | None) -> Sequence[ViewPage]:
        """One of each view that together hold the answer, asked at the same time; entries behind `before` only."""
        views, filters = _narrowest(query)
        answers = await asyncio.gather(
            *(self._page(view, filters, query, most, before) for view in views), return_exceptions=True
        )
        pages = [answer for answer in answers if not isinstance(answer, BaseException)]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return pages

    async def _page(
        self, view: View, filters: Mapping[str, str], query: AuditQuery, most: int, before: str | None
    ) -> ViewPage:
        first, last = f"{query.since_ms:013d}", f"{query.until_ms:013d}"
        last = last if before is None else min(last, before)
        if first >= last:
            return ViewPage([], None)
        names = {"#view": view.key, "#position": "position"} | {
            f"#{name}": name for name in filters
        }  # "view" is reserved
        filtering: Any = {"FilterExpression": " AND ".join(f"#{name} = :{name}" for name in filters)} if filters else {}
        index: Any = {"IndexName": view.index} if view.index else {}
        values = {"view": view.value, "first": first, "last": last, **filters}
        with aws_errors("DynamoDB"):
            answer = await self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="#view = :view AND #position BETWEEN :first AND :last",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
                ScanIndexForward=False,
                Limit=_MOST_LOOKED_AT if filters else most + 1,
                **index,
                **filtering,
            )
        entries = [entry_of(item) for item in answer["Items"]]
        reached = answer.get("LastEvaluatedKey")
        found = [entry for entry in entries if before is None or entry.position < before]
        return ViewPage(found, reached["position"]["S"] if reached else None)


def _narrowest(query: AuditQuery) -> tuple[Sequence[View], dict[str, str]]:
    """The views with the fewest rows that hold all of the answer, and what is left to filter them by."""
    filters = {"client_id": query.client_id, "event": query.event, "outcome": query.outcome}
    if query.user_id is not None:
        views = views_of_user(query.user_id)
    elif query.event is not None:
        views = views_of_event(query.event)
        del filters["event"]
    elif query.client_id is not None:
        views = views_of_client(query.client_id)
        del filters["client_id"]
    else:
        views = views_of_all()
    return views, {name: value for name, value in filters.items() if value is not None}
