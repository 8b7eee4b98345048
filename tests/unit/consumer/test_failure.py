"""What each error of an AWS call means; that the writer acts on it is told by tests of its own."""

import gzip
import json
from pathlib import Path
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

from recommendation_consumer.failure import INVALID, Kind, classify
from recommendation_shared.aws_errors import THROTTLING, TRANSIENT
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
        "com.amazonaws.sqs#RequestThrottled",
    ],
)
@pytest.mark.parametrize("status", [400, 503])
def test_throttling_has_one_name_for_metrics(code: str, status: int) -> None:
    """The alarm on throttling must not depend on which of AWS's names for it comes."""
    assert classify(client_error(code, status)) == (Kind.THROTTLED, "Throttled")


def test_too_many_requests_is_throttling_under_any_code() -> None:
    """A gateway's own answer."""
    assert classify(client_error("429", 429)) == (Kind.THROTTLED, "Throttled")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("503", 503),
        ("ReplicatedWriteConflictException", 400),
        ("TransactionConflictException", 400),
        ("TransactionInProgressException", 400),
        ("RequestTimeout", 408),
        ("RequestExpired", 400),
        ("408", 408),
    ],
)
def test_what_passes_by_itself_is_transient(code: str, status: int) -> None:
    """AWS says of each that it may be retried."""
    assert classify(client_error(code, status)) == (Kind.TRANSIENT, code)


@pytest.mark.parametrize(
    ("code", "status"), [("ValidationException", 400), ("SerializationException", 400), ("413", 413)]
)
def test_a_request_that_is_at_fault_is_divided(code: str, status: int) -> None:
    """A smaller one may pass."""
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
def test_what_somebody_must_repair_is_systemic_under_awss_own_name(code: str) -> None:
    """A code that is not known is one of these: SQS retries, and the log says its name."""
    assert classify(client_error(code)) == (Kind.SYSTEMIC, code)


@pytest.mark.parametrize("code", ["", "überlastet", "a\nb", "\ud800"])
def test_an_error_whose_code_cannot_name_a_metric_has_a_name_all_the_same(code: str) -> None:
    """A dimension is ASCII and not empty; who knows what answers in AWS's place."""
    assert classify(client_error(code)) == (Kind.SYSTEMIC, "ClientError")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        SSLError(endpoint_url=URL, error="handshake"),
        HTTPClientError(error="something else of the client's"),
        ChecksumError(checksum_type="crc32", expected_checksum="1", actual_checksum="2"),
    ],
)
def test_what_did_not_come_through_is_unreachable(error: Any) -> None:
    """Whoever is to blame."""
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
    """Nothing was sent."""
    assert classify(error) == (Kind.SYSTEMIC, type(error).__name__)


def test_every_documented_error_of_batch_write_item_is_known() -> None:
    """The service's own model lists them; whoever upgrades botocore must look at a new one."""
    (path,) = Path(botocore.__file__).parent.glob("data/dynamodb/*/service-2.json.gz")
    model = json.loads(gzip.decompress(path.read_bytes()))
    errors = {error["shape"] for error in model["operations"]["BatchWriteItem"]["errors"]}
    by_status = {"InternalServerError"}
    systemic = {"ResourceNotFoundException", "ItemCollectionSizeLimitExceededException"}
    assert errors <= THROTTLING | TRANSIENT | INVALID | by_status | systemic
