import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.aws.connection import EndpointError, NotDynamoDbError
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, items, runtime


def _run(client: FakeDynamoDb, *args: str) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client))


def _refusal(code: str, message: str = "") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, "Query")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (_refusal("ResourceNotFoundException"), f"There is no table {TABLE} in us-east-1: check --table"),
        (
            _refusal("AccessDeniedException", "not authorized"),
            "RecommendationReaderRole. DynamoDB says: not authorized",
        ),
        (_refusal("ExpiredTokenException"), "credentials have expired: sign in again"),
        (_refusal("UnrecognizedClientException"), "does not accept these credentials"),
        (_refusal("ThrottlingException"), "throttling reads: try again"),
        (_refusal("ValidationException", "no such index"), "lacks an index"),
        (_refusal("ValidationException", "bad \x1b[2J"), r"refused the call on table"),
        (_refusal("InternalServerError", "oops"), "(InternalServerError): oops"),
        (aws.NoCredentialsError(), "No usable AWS credentials: sign in"),
        (aws.UnauthorizedSSOTokenError(), "run aws sso login"),
        (aws.ProfileNotFound(profile="p"), "aws configure list-profiles"),
        (aws.NoRegionError(), "No AWS region is set: pass --region"),
        (aws.EndpointConnectionError(endpoint_url="http://x"), "No answer from the table"),
        (aws.ReadTimeoutError(endpoint_url="http://x"), "No answer from the table"),
        (aws.InvalidRegionError(region_name="a b"), "AWS could not be called"),
        (NotDynamoDbError(), "is not from DynamoDB: check --endpoint-url"),
        (ResponseParserError("<html>"), "is not from DynamoDB: check --endpoint-url"),
    ],
)
def test_aws_errors_are_one_sentence_with_the_remedy(error: Exception, sentence: str) -> None:
    """They exit with 3, from lists and from single items."""
    for args in (["incident", "incident-7", "-o", "jsonl"], ["show", "rec-1"]):
        result = _run(FakeDynamoDb(error), *args)
        assert result.exit_code == 3
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "error",
    [EndpointError("Invalid endpoint: x"), aws.ParamValidationError(report="TableName: too short")],
)
def test_input_that_botocore_rejects_is_a_usage_error(error: Exception) -> None:
    """Nothing was sent."""
    result = _run(FakeDynamoDb(error), "show", "rec-1")
    assert result.exit_code == 2
    assert " ".join(str(error).split()) in result.stderr


def test_an_error_on_a_later_page_exits_with_3() -> None:
    """Earlier pages are printed, and the exit code says that they are not everything."""
    result = _run(FakeDynamoDb(items(1), _refusal("ThrottlingException")), "incident", "incident-7", "-o", "jsonl")
    assert result.exit_code == 3
    assert result.stdout.count("\n") == 1
