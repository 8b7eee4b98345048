"""The identities, the resources, every action of the services, and what the deployed policies allow."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import botocore.session

from infra.synthesis.intrinsics import ACCOUNT, STREAM_LABEL
from infra.synthesis.synthesize import EVERY_OPTION, synthesize
from tests.support.iam.policy import Context, Policy, Statement

SQS: Final = "arn:aws:sqs:us-east-1:123456789012"
DYNAMODB: Final = "arn:aws:dynamodb:us-east-1:123456789012:table"
TABLE: Final = f"{DYNAMODB}/opx-agent-recommendations"
QUEUE: Final = f"{SQS}:opx-recommendations"
DEAD: Final = f"{QUEUE}-dlq"
INDEXES: Final = tuple(f"{TABLE}/index/{key}-timestamp-index" for key in ("incidentId", "agentType", "executionId"))
AGENT_INDEX: Final = f"{TABLE}/index/agentType-timestamp-index"
REVIEWS: Final = f"{DYNAMODB}/opx-recommendation-reviews"
REVIEWS_INDEX: Final = f"{REVIEWS}/index/kind-reviewId-index"
SSM: Final = "arn:aws:ssm:us-east-1:123456789012:parameter"
REVIEW_RETENTION: Final = f"{SSM}/opx-recommendations/review-retention-days"
STREAM: Final = f"{TABLE}/stream/{STREAM_LABEL}"
FAILURES: Final = f"{QUEUE}-keeper-failures"
LOG: Final = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/opx-recommendations-consumer:log-stream:one"
# Whoever may describe alarms may describe all of the account and region.
ALARMS: Final = tuple(
    f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}" for name in ("RecommendationsDropped", "of-another-team")
)
KEEPER_LOG: Final = LOG.replace("consumer", "keeper")
BUCKET: Final = EVERY_OPTION["ArchiveBucketArn"]
ARCHIVE: Final = f"{BUCKET}/incidents/dt=2026-01-31/1-event.jsonl.gz"
KEY: Final = EVERY_OPTION["KmsKeyArn"]
# Resources that none of our identities may use.
FOREIGN: Final = (
    f"{DYNAMODB}/opx-incidents",
    f"{DYNAMODB}/opx-incidents/index/status-index",
    f"{DYNAMODB}/opx-incident-events",
    f"{DYNAMODB}/opx-incident-events/stream/2026-01-31T12:00:00.000",
    f"{TABLE}-staging",
    f"{REVIEWS}-staging",
    f"{REVIEWS}-staging/index/kind-reviewId-index",
    f"{SSM}/opx-recommendations/queue-url",
    f"{SSM}/opx-recommendations-staging/review-retention-days",
    f"{TABLE}/index/other-index",
    f"{TABLE}/stream/2025-01-01T00:00:00.000",
    f"{TABLE}/backup/01",
    f"{QUEUE}-staging",
    f"{DEAD}-2",
    f"{SQS}:opx-incidents",
    "arn:aws:sqs:us-east-1:999999999999:opx-recommendations",
    "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/opx-incidents:log-stream:one",
    BUCKET,
    f"{BUCKET}/elsewhere/1-event.jsonl.gz",
    f"{BUCKET}-2/incidents/1-event.jsonl.gz",
    "arn:aws:lambda:us-east-1:123456789012:function:opx-recommendations-consumer",
    "arn:aws:sns:us-east-1:123456789012:opx-recommendations-alarms",
    "arn:aws:iam::123456789012:role/RecommendationReaderRole",
    KEY.replace("1111", "9999"),
    ALARMS[0].replace("us-east-1", "eu-west-1"),
    "*",
)
RESOURCES: Final = (
    *(QUEUE, DEAD, FAILURES, TABLE, STREAM, *INDEXES, REVIEWS, REVIEWS_INDEX, REVIEW_RETENTION),
    *(LOG, KEEPER_LOG, *ALARMS, ARCHIVE, KEY, *FOREIGN),
)
IDENTITIES: Final = (
    "ExecutorPolicy",
    "ConsumerRole",
    "KeeperRole",
    "ReaderRole",
    "RedriveRole",
    "CuratorRole",
    "ReviewerRole",
    "EraserRole",
)

# Actions without an operation of that name: PartiQL's, conditions in transactions, both sides of re-encryption, the
# streams' (another service to botocore), and S3's for lists and versions.
BEYOND_OPERATIONS: Final = (
    *(f"dynamodb:PartiQL{verb}" for verb in ("Select", "Insert", "Update", "Delete")),
    "dynamodb:ConditionCheckItem",
    *(f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")),
    *(f"s3:{name}" for name in ("ListBucket", "GetObjectVersion", "DeleteObjectVersion", "BypassGovernanceRetention")),
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)

Grants = Mapping[str, frozenset[str]]  # allowed actions by resource


_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "QUEUE": (QUEUE,),
    "DEAD": (DEAD,),
    "FAILURES": (FAILURES,),
    "TABLE": (TABLE,),
    "STREAM": (STREAM,),
    "INDEXES": INDEXES,
    "INCIDENT_INDEX": INDEXES[:1],
    "AGENT_INDEX": (AGENT_INDEX,),
    "REVIEWS": (REVIEWS,),
    "REVIEWS_INDEX": (REVIEWS_INDEX,),
    "REVIEW_RETENTION": (REVIEW_RETENTION,),
    "LOG": (LOG,),
    "KEEPER_LOG": (KEEPER_LOG,),
    "ALARMS": ALARMS,
    "KEY": (KEY,),
}


def grants(**by_resource: str) -> Grants:
    """Return grants from `QUEUE="sqs:SendMessage ..."`; INDEXES means all three."""
    return {arn: frozenset(actions.split()) for name, actions in by_resource.items() for arn in _NAMED[name]}


# Evaluated without condition keys, so this is what a policy allows for at least one request. The tests with
# `RECOMMENDATION`, and those of single identities, show for which.
ALLOWED: Final[Mapping[str, Grants]] = {
    "ExecutorPolicy": grants(QUEUE="sqs:SendMessage"),
    "ConsumerRole": grants(
        QUEUE="sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes",
        DEAD="sqs:SendMessage",
        TABLE="dynamodb:BatchWriteItem dynamodb:PutItem",
        AGENT_INDEX="dynamodb:Query",
        LOG="logs:CreateLogStream logs:PutLogEvents",
    ),
    "KeeperRole": grants(
        STREAM="dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams",
        DEAD="sqs:SendMessage",
        FAILURES="sqs:SendMessage",
        KEEPER_LOG="logs:CreateLogStream logs:PutLogEvents",
    ),
    "ReaderRole": grants(
        TABLE="dynamodb:GetItem dynamodb:Query",
        INDEXES="dynamodb:Query",
        REVIEWS="dynamodb:Query",
        REVIEWS_INDEX="dynamodb:Query",
        ALARMS="cloudwatch:DescribeAlarms",
    ),
    "ReviewerRole": grants(
        TABLE="dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query",
        INDEXES="dynamodb:Query",
        REVIEWS="dynamodb:PutItem dynamodb:Query",
        REVIEWS_INDEX="dynamodb:Query",
        REVIEW_RETENTION="ssm:GetParameter",
    ),
    "RedriveRole": grants(
        QUEUE="sqs:SendMessage sqs:GetQueueAttributes",
        DEAD="sqs:StartMessageMoveTask sqs:CancelMessageMoveTask sqs:ListMessageMoveTasks sqs:ReceiveMessage "
        "sqs:DeleteMessage sqs:ChangeMessageVisibility sqs:GetQueueAttributes sqs:ListDeadLetterSourceQueues",
    ),
    "CuratorRole": grants(
        TABLE="dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:UpdateItem dynamodb:PutItem",
        INDEXES="dynamodb:Query",
    ),
    "EraserRole": grants(
        TABLE="dynamodb:GetItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:PutItem",
        INCIDENT_INDEX="dynamodb:Query",
        REVIEWS="dynamodb:Query dynamodb:DeleteItem",
        QUEUE="sqs:GetQueueAttributes",
        DEAD="sqs:ReceiveMessage sqs:DeleteMessage sqs:ChangeMessageVisibility sqs:GetQueueAttributes "
        "sqs:ListDeadLetterSourceQueues",
    ),
}
RECOMMENDATION: Final[Context] = {
    "dynamodb:LeadingKeys": ("rec-incident-7-consensus-2026-01-31T12:00:00Z",),
    "dynamodb:Attributes": ("recommendationId", "reasoning"),
}
"""The condition keys of a request for an ordinary recommendation and its content."""


@cache
def _synthesized(parameters: frozenset[tuple[str, str]]) -> dict[str, Any]:
    resources: dict[str, Any] = synthesize(dict(parameters))["Resources"]
    return resources


def deployed(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the resources deployed with these parameters. They are cached: do not modify them."""
    return _synthesized(frozenset(parameters.items()))


@cache
def actions(service: str) -> frozenset[str]:
    """Return the IAM actions for all operations of a service that botocore knows."""
    names: list[str] = botocore.session.get_session().get_service_model(service).operation_names
    # SQS has no actions for batches: the single call's action covers them (SQS Developer Guide, API permissions).
    operations = {f"{service}:{name.removesuffix('Batch') if service == 'sqs' else name}" for name in names}
    return frozenset(operations | {action for action in BEYOND_OPERATIONS if action.startswith(f"{service}:")})


@cache
def every_action() -> frozenset[str]:
    """Return all actions of the services in which an identity could do harm."""
    return frozenset().union(
        *map(actions, ("dynamodb", "sqs", "logs", "lambda", "sns", "kms", "s3", "ssm", "cloudwatch"))
    )


def statements_of(identity: str, parameters: Mapping[str, str]) -> list[Statement]:
    """Return the statements of an identity's own and attached policies in a deployment with these parameters.

    Raises `KeyError` if a role has a managed policy of which this stack does not say what it allows.
    """
    resources = deployed(parameters)
    properties = resources[identity]["Properties"]
    managed = {
        f"arn:aws:iam::{ACCOUNT}:policy/{name}": resource["Properties"]["PolicyDocument"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])] or [
        properties["PolicyDocument"]
    ]
    documents += [managed[arn] for arn in properties.get("ManagedPolicyArns", [])]
    return [statement for document in documents for statement in document["Statement"]]


def allowed(identity: str, parameters: Mapping[str, str], context: Context) -> dict[str, frozenset[str]]:
    """Return the actions allowed on each resource, without resources on which nothing is allowed."""
    policy = Policy(statements_of(identity, parameters))
    by_resource = {resource: policy.allowed(every_action(), resource, context) for resource in RESOURCES}
    return {resource: granted for resource, granted in by_resource.items() if granted}
