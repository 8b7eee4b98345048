"""The kind of each AWS error. The writer's tests show how it acts on each kind."""

import gzip
import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore
import pytest
from botocore.exceptions import (
    ChecksumError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.retries.standard import RetryContext, ThrottledRetryableChecker, TransientRetryableChecker

from recommendation_consumer.failure import INVALID, Kind, classify
from recommendation_shared.aws_errors import throttling_codes, transient_codes
from tests.support.fakes.aws import client_error

URL = "http://127.0.0.1"


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "Throttling",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "SlowDown",
        "KmsThrottled",
        "KMS.ThrottlingException",
        "TransactionInProgressException",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "com.amazonaws.sqs#RequestThrottled",
    ],
)
@pytest.mark.parametrize("status", [400, 503])
def test_throttling_has_one_name_in_metrics(code: str, status: int) -> None:
    """The alarm on throttling must not depend on which of AWS's codes is used."""
    assert classify(client_error(code, status)) == (Kind.THROTTLED, "Throttled")


def test_http_429_is_throttling_whatever_its_code() -> None:
    """A gateway may respond in this way."""
    assert classify(client_error("429", 429)) == (Kind.THROTTLED, "Throttled")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("503", 503),
        ("ReplicatedWriteConflictException", 400),
        ("TransactionConflictException", 400),
        ("RequestTimeout", 408),
        ("RequestExpired", 400),
        ("408", 408),
    ],
)
def test_retryable_code_is_transient(code: str, status: int) -> None:
    """AWS documents each of these as retryable."""
    assert classify(client_error(code, status)) == (Kind.TRANSIENT, code)


@pytest.mark.parametrize(
    ("code", "status"), [("ValidationException", 400), ("SerializationException", 400), ("413", 413)]
)
def test_invalid_or_oversized_request_is_invalid(code: str, status: int) -> None:
    """So it is split, because a smaller one may succeed."""
    assert classify(client_error(code, status)) == (Kind.INVALID, code)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "ResourceNotFoundException",
        "ItemCollectionSizeLimitExceededException",
        "KMS.DisabledException",
        "KmsAccessDenied",
        "QueueDoesNotExist",
        "SomethingNew",
    ],
)
def test_any_other_code_is_systemic_under_its_own_name(code: str) -> None:
    """An unknown code is one of these: SQS redelivers the message, and the log names the code."""
    assert classify(client_error(code)) == (Kind.SYSTEMIC, code)


@pytest.mark.parametrize("code", ["", "überlastet", "a\nb", "\ud800"])
def test_code_that_is_not_a_valid_dimension_is_replaced_by_the_errors_type(code: str) -> None:
    """A dimension's value must be ASCII and not empty, and something other than AWS may have responded."""
    assert classify(client_error(code)) == (Kind.SYSTEMIC, "ClientError")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        SSLError(endpoint_url=URL, error="handshake"),
        HTTPClientError(error="some other error of the client"),
        ChecksumError(checksum_type="crc32", expected_checksum="1", actual_checksum="2"),
    ],
)
def test_connection_error_or_damaged_response_is_unreachable(error: Any) -> None:
    """Whatever its cause."""
    assert classify(error) == (Kind.TRANSIENT, "Unreachable")


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="container", error_msg="refused"),
    ],
)
def test_missing_credentials_are_systemic(error: Any) -> None:
    """Nothing can be sent without them."""
    assert classify(error) == (Kind.SYSTEMIC, type(error).__name__)


def test_every_documented_error_of_batch_write_item_is_classified() -> None:
    """The list is in botocore's model of the service, so an upgrade that adds an error fails here."""
    (path,) = Path(botocore.__file__).parent.glob("data/dynamodb/*/service-2.json.gz")
    model = json.loads(gzip.decompress(path.read_bytes()))
    errors = {error["shape"] for error in model["operations"]["BatchWriteItem"]["errors"]}
    by_status = {"InternalServerError"}
    systemic = {"ResourceNotFoundException", "ItemCollectionSizeLimitExceededException"}
    assert errors <= throttling_codes() | transient_codes() | INVALID | by_status | systemic


def test_every_error_that_botocore_retries_is_retried() -> None:
    """Asked of botocore's standard mode itself, with each code and status that either side knows."""
    throttled, transient = ThrottledRetryableChecker(), TransientRetryableChecker()
    codes = throttling_codes() | transient_codes() | {"AccessDeniedException", "SomethingNew"}
    retried = set()
    for code, status in itertools.product(sorted(codes), (400, 500, 502, 503, 504)):
        error = client_error(code, status)
        context = RetryContext(1, parsed_response=error.response, http_response=SimpleNamespace(status_code=status))
        if throttled.is_retryable(context) or transient.is_retryable(context):
            retried.add(code)
            assert classify(error).kind in {Kind.THROTTLED, Kind.TRANSIENT}
    assert {"ThrottlingException", "PriorRequestNotComplete", "RequestTimeout"} <= retried


def test_every_error_that_a_service_model_marks_as_retryable_is_retried() -> None:
    """In the models of DynamoDB and SQS; an upgrade that marks another one fails here."""
    for service in ("dynamodb", "sqs"):
        (path,) = Path(botocore.__file__).parent.glob(f"data/{service}/*/service-2.json.gz")
        shapes = json.loads(gzip.decompress(path.read_bytes()))["shapes"]
        for name, shape in shapes.items():
            if shape.get("exception") and "retryable" in shape:
                code = shape.get("error", {}).get("code", name)
                assert classify(client_error(code)).kind in {Kind.THROTTLED, Kind.TRANSIENT}, code
