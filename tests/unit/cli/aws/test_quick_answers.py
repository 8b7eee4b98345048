import json
from typing import Any

import pytest
from botocore.parsers import ResponseParserFactory
from botocore.session import Session

from recommendation_cli.aws.quick_answers import QuickAnswers
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import item

_MODEL: Any = Session().get_service_model("dynamodb")


def _both(operation: str, body: bytes, status: int = 200) -> tuple[Any, Any]:
    """Return what our parser makes of a response, and what botocore's does."""
    shape = _MODEL.operation_model(operation).output_shape
    response = {"status_code": status, "headers": {"x-amzn-requestid": "7", "x-amz-crc32": "1"}, "body": body}
    parsers = (factory.create_parser("json") for factory in (QuickAnswers(), ResponseParserFactory()))
    quick, botocores = (parser.parse(response, shape) for parser in parsers)
    return quick, botocores


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("Query", {"Items": [item(), item("knowledge-rag")], "Count": 2, "LastEvaluatedKey": {"a": {"S": "b"}}}),
        ("GetItem", {"Item": item(confidence=0.1, retention=None)}),
        ("BatchGetItem", {"Responses": {"table": [item()]}, "UnprocessedKeys": {}}),
        ("DescribeTable", {"Table": {"TableName": "t", "CreationDateTime": 1769860800.5}}),
    ],
)
def test_a_response_is_parsed_as_botocore_parses_it(operation: str, answer: dict[str, Any]) -> None:
    """With its metadata; operations without items keep botocore's types, such as datetime."""
    quick, botocores = _both(operation, json.dumps(answer).encode())
    assert quick == botocores


@pytest.mark.parametrize("status", [400, 500])
def test_errors_are_botocores(status: int) -> None:
    """Whatever the operation."""
    quick, botocores = _both("Query", b'{"__type":"x#ThrottlingException","message":"slow down"}', status)
    assert quick == botocores
    assert quick["Error"]["Code"] == "ThrottlingException"


@pytest.mark.parametrize("body", [b"<html>", b""])
def test_a_body_that_is_not_an_object_is_left_to_botocore(body: bytes) -> None:
    """A proxy's HTML page has no items either, but must not be taken for an empty table."""
    quick, botocores = _both("Query", body)
    assert quick == botocores
    assert "Items" not in quick


def test_a_binary_value_is_decoded_alike_from_either() -> None:
    """Botocore returns bytes, our parser DynamoDB's own base64 text."""
    body = json.dumps({"Items": [{"a": {"B": "3q2+7w=="}, "b": {"BS": ["3q2+7w==", "AA=="]}}]}).encode()
    quick, botocores = _both("Query", body)
    assert decode_item(quick["Items"][0]) == decode_item(botocores["Items"][0])
