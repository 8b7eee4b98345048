"""Ask each AWS service for the data that the checks need; refused calls become findings too."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.doctor.alarms import alarm_names, check_alarms
from recommendation_cli.doctor.checks import (
    INDEXES,
    REVIEWS,
    Described,
    Finding,
    check_backups,
    check_dead_letters,
    check_expiry,
    check_function,
    check_mapping,
    check_queue,
    check_reviews_table,
    check_table,
    finding,
)
from recommendation_cli.doctor.marks import SUBJECT as MARKS
from recommendation_cli.doctor.marks import check_mark
from recommendation_cli.reviews.review import KIND
from recommendation_cli.reviews.store import INDEX as REVIEWS_INDEX
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.marks import all_marks
from recommendation_shared.aws_errors import ACCESS_DENIED, MISSING_RESOURCE, error_code
from recommendation_shared.item.marks import MARKS as INCIDENT_MARKS

_MISSING: Final = MISSING_RESOURCE | {"TableNotFoundException"}  # the latter from DescribeContinuousBackups alone
_ROLE: Final = "the consumer's role"
# Of the index by agent type, the consumer may read only which incidents are held or erased.
_READING_MARKS: Final = [
    {"ContextKeyName": "dynamodb:LeadingKeys", "ContextKeyValues": [INCIDENT_MARKS], "ContextKeyType": "stringList"}
]


class Examination:
    """Runs all checks on one deployment; after a refused call, the checks that do not depend on it still run."""

    def __init__(
        self, runtime: Runtime, table: Target, reviews: Target, queue: QueueTarget, dead_letters: QueueTarget
    ) -> None:
        self._table, self._reviews, self._queue, self._dead_letters = table.table, reviews.table, queue, dead_letters
        self._now = runtime.now
        self._dynamodb, self._sqs, self._lambda, self._iam, self._cloudwatch = (
            runtime.create_client(service, table) for service in ("dynamodb", "sqs", "lambda", "iam", "cloudwatch")
        )
        self._reading = runtime.connect(table)
        self._refused: list[Finding] = []
        self._table_arn: str | None = None

    def findings(self) -> Iterator[Finding]:
        """Yield the finding of each check, then those of refused calls. Raises botocore's errors without a response."""
        queue = self._attributes("queue", self._queue)
        dead_letters = self._attributes("dead-letter queue", self._dead_letters)
        if queue is not None and dead_letters is not None:
            yield from check_queue(queue, dead_letters["QueueArn"])
            yield from check_dead_letters(dead_letters, queue["QueueArn"])
        yield from self._examine_tables()
        if queue is not None:
            yield from self._examine_consumer(queue, dead_letters)
        yield from self._examine_alarms()
        yield from self._examine_marks()
        yield from self._refused

    def _attributes(self, subject: str, queue: QueueTarget) -> Described | None:
        call = self._sqs.get_queue_attributes
        answer = self._ask(subject, "sqs:GetQueueAttributes", call, QueueUrl=queue.url, AttributeNames=["All"])
        return None if answer is None else answer["Attributes"]

    def _examine_tables(self) -> Iterator[Finding]:
        described = self._described("table", self._table)
        if described is not None:
            self._table_arn = described["TableArn"]
            yield from check_table(described)
        yield from self._examine_protection("table", self._table)
        for key in INDEXES:
            index = f"{key}-timestamp-index"
            yield from self._examine_reading(f"index {index}", self._table, index, key)
        described = self._described(REVIEWS, self._reviews)
        if described is not None:
            yield from check_reviews_table(described)
        yield from self._examine_protection(REVIEWS, self._reviews)
        yield from self._examine_reading(REVIEWS, self._reviews, REVIEWS_INDEX, KIND)

    def _described(self, subject: str, table: str) -> Described | None:
        call = self._dynamodb.describe_table
        answer = self._ask(subject, "dynamodb:DescribeTable", call, TableName=table)
        return None if answer is None else answer["Table"]

    def _examine_protection(self, subject: str, table: str) -> Iterator[Finding]:
        call = self._dynamodb.describe_time_to_live
        ttl = self._ask(subject, "dynamodb:DescribeTimeToLive", call, TableName=table)
        if ttl is not None:
            yield check_expiry(subject, ttl)
        call = self._dynamodb.describe_continuous_backups
        backups = self._ask(subject, "dynamodb:DescribeContinuousBackups", call, TableName=table)
        if backups is not None:
            yield check_backups(subject, backups)

    def _examine_reading(self, subject: str, table: str, index: str, key: str) -> Iterator[Finding]:
        query = {"KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": key}, "Limit": 1}
        query |= {"IndexName": index, "ExpressionAttributeValues": {":k": {"S": "recs-doctor"}}}
        if self._ask(subject, "dynamodb:Query", self._dynamodb.query, TableName=table, **query) is not None:
            yield Finding(subject, "passed", "can be read by you")

    def _examine_consumer(self, queue: Described, dead_letters: Described | None) -> Iterator[Finding]:
        call = self._lambda.list_event_source_mappings
        answer = self._ask("mapping", "lambda:ListEventSourceMappings", call, EventSourceArn=queue["QueueArn"])
        if answer is None:
            return
        mappings = answer["EventSourceMappings"]
        yield finding("mapping", len(mappings) == 1, "connects the queue to exactly one function", f"{len(mappings)}")
        for mapping in mappings:
            call, name = self._lambda.get_function_configuration, mapping["FunctionArn"]
            function = self._ask("function", "lambda:GetFunctionConfiguration", call, FunctionName=name)
            if function is None:
                continue
            yield from check_mapping(mapping, function, queue)
            yield from check_function(function, self._table, self._queue.url, self._dead_letters.url)
            if dead_letters is not None and self._table_arn is not None:
                arns = (queue["QueueArn"], dead_letters["QueueArn"], self._table_arn)
                yield from self._examine_role(function["Role"], *arns)

    def _examine_alarms(self) -> Iterator[Finding]:
        names, call = alarm_names(self._queue.url), self._cloudwatch.describe_alarms
        answer = self._ask("alarms", "cloudwatch:DescribeAlarms", call, AlarmNames=names)
        if answer is not None:
            yield from check_alarms(names, answer["MetricAlarms"], self._now())

    def _examine_marks(self) -> Iterator[Finding]:
        marks = self._ask(MARKS, "dynamodb:Query", lambda: list(all_marks(self._reading, self._table)))
        for mark in marks or ():
            yield from (
                self._ask(MARKS, "dynamodb:Query", partial(list, check_mark(self._reading, self._table, mark))) or ()
            )

    def _examine_role(self, role: str, queue_arn: str, dead_letter_arn: str, table_arn: str) -> Iterator[Finding]:
        for resource, actions, expected in (
            (queue_arn, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], "allowed"),
            (dead_letter_arn, ["sqs:SendMessage"], "allowed"),
            (table_arn, ["dynamodb:BatchWriteItem", "dynamodb:PutItem"], "allowed"),
            (f"{table_arn}/index/agentType-timestamp-index", ["dynamodb:Query"], "allowed"),
            (table_arn, ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"], "denied"),
        ):
            asked: dict[str, Any] = {"PolicySourceArn": role, "ActionNames": actions, "ResourceArns": [resource]}
            call = self._iam.simulate_principal_policy
            answer = self._ask(_ROLE, "iam:SimulatePrincipalPolicy", call, **asked, ContextEntries=_READING_MARKS)
            if answer is None:
                return
            for result in answer["EvaluationResults"]:
                allowed = result["EvalDecision"] == "allowed"
                what = f"is {expected} {result['EvalActionName']} on {resource.rpartition(':')[2]}"
                yield finding(_ROLE, allowed == (expected == "allowed"), what, result["EvalDecision"])

    def _ask(self, subject: str, action: str, call: Callable[..., Any], **parameters: Any) -> Any:
        """Return AWS's answer, or None after noting why there is none."""
        from botocore.exceptions import ClientError

        try:
            return call(**parameters)
        except ClientError as error:
            note = _refusal(subject, action, error_code(error))
            if note not in self._refused:
                self._refused.append(note)
            return None


def _refusal(subject: str, action: str, code: str) -> Finding:
    if code in _MISSING:
        given = "--reviews-table" if subject == REVIEWS else "--table, the URLs"
        return Finding(subject, "failed", "exists", "not found", f"Check {given} and --region, or deploy it.")
    if code in ACCESS_DENIED:
        actual = f"you are not allowed to look ({code})"
        return Finding(subject, "skipped", f"can be checked by {action}", actual, f"Use an identity with {action}.")
    actual = f"the call failed ({visible(code)})"
    return Finding(subject, "skipped", f"can be checked by {action}", actual, "Try again in a moment.")
