"""DynamoDB's wire form of plain values (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row for the low-level client. `None` values are left out; a float is refused (DynamoDB's numbers are decimal).

    Raises:
        TypeError: a value that DynamoDB does not know, floats among them.
    """
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of a row: whole numbers are `int`, others `Decimal`, binaries `bytes`."""
    return {name: _plain(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


def _attribute(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any DynamoDB value
    """Most values are texts; boto would try ten other types first."""
    return {"S": value} if isinstance(value, str) else _SERIALIZER.serialize(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any DynamoDB value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
