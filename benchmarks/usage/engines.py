"""Clients and the table of the engines that usage is measured on: moto's SQS and dynalite's DynamoDB."""

from typing import Any, Final

import boto3

_FAKE_CREDENTIALS: Final = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
_KEYS: Final = ("incidentId", "agentType", "executionId")
INDEXES: Final = tuple(f"{name}-timestamp-index" for name in _KEYS)
COMPACT: Final = (*_KEYS, "confidence", "reasoning", "metadata", "ttl")  # docs/decisions/0015, and infra/template.yaml


def client(service: str, url: str) -> Any:
    """Return a client of an engine, with fake credentials."""
    return boto3.Session(region_name="us-east-1", **_FAKE_CREDENTIALS).client(service, endpoint_url=url)


def create_table(dynamodb: Any, table: str, *, compact: bool) -> None:
    """Create a table with the keys and indexes of the template."""
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "recommendationId", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("recommendationId", *_KEYS, "timestamp")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": name, "KeyType": "HASH"},
                    {"AttributeName": "timestamp", "KeyType": "RANGE"},
                ],
                "Projection": (
                    {"ProjectionType": "INCLUDE", "NonKeyAttributes": [attr for attr in COMPACT if attr != name]}
                    if compact
                    else {"ProjectionType": "ALL"}
                ),
            }
            for name, index in zip(_KEYS, INDEXES, strict=True)
        ],
    )
