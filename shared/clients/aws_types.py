"""The types of the AWS clients, for the type checker alone: loading them would cost each start a third of a second."""

from typing import TYPE_CHECKING, Any

__all__ = [
    "AttributeDefinitionTypeDef",
    "DynamoDBClient",
    "EventsClient",
    "GlobalSecondaryIndexTypeDef",
    "KeySchemaElementTypeDef",
    "S3Client",
    "SQSClient",
    "SSMClient",
    "TransactWriteItemTypeDef",
]

SSMClient = Any  # three calls do not need a package of types
EventsClient = Any  # nor do these

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        GlobalSecondaryIndexTypeDef,
        KeySchemaElementTypeDef,
        TransactWriteItemTypeDef,
    )
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_sqs.client import SQSClient
else:
    DynamoDBClient = S3Client = SQSClient = Any
    AttributeDefinitionTypeDef = GlobalSecondaryIndexTypeDef = KeySchemaElementTypeDef = TransactWriteItemTypeDef = Any
