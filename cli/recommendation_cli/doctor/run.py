"""What `recs doctor` does once its options are known: ask AWS, print findings with their remedies."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import explained
from recommendation_cli.aws.queues import QueueTarget
from recommendation_cli.doctor import checks as doctor
from recommendation_cli.doctor.checks import INDEXES, Described, Finding
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal
from recommendation_cli.screen.visible import visible

UNHEALTHY: Final = 1  # exit code
_MARKS: Final = {"right": ("ok", "green"), "wrong": ("WRONG", "bold red"), "unknown": ("?", "yellow")}
_MISSING: Final = ("NotFound", "NonExistent", "DoesNotExist")
_ROLE: Final = "the consumer's role"


def examine(runtime: Runtime, table: Target, queue: QueueTarget, dead_letters: QueueTarget, output: str) -> None:
    """Print what is as the template wants it and what is not; end with 1 unless all of it is."""
    with explained(table):
        findings = list(_Examination(runtime, table, queue, dead_letters).findings())
    if output == "table":
        render_findings(open_terminal(runtime.environ), findings)
    else:
        write_records(sys.stdout.buffer, [finding._asdict() for finding in findings], output)
    sys.stdout.flush()
    if any(finding.state != "right" for finding in findings):
        click.get_current_context().exit(UNHEALTHY)


def render_findings(console: Console, findings: list[Finding]) -> None:
    """Print findings in the order of the examination, each remedy below its finding."""
    for finding in findings:
        mark, style = _MARKS[finding.state]
        found = f" · found: {finding.seen}" if finding.seen else ""
        wanted = finding.wanted if finding.state == "right" else f"wanted: {finding.wanted}{found}"
        _print(console, Text(f"{mark:<5}", style), Text(f"{finding.subject}: {wanted}"))
        if finding.remedy:
            _print(console, Text(" " * 5), Text(finding.remedy, style="dim"))
    counts = {state: sum(finding.state == state for finding in findings) for state in _MARKS}
    console.print(f"\n{counts['right']} right, {counts['wrong']} wrong, {counts['unknown']} not looked at")


def _print(console: Console, mark: Text, text: Text) -> None:
    if console.is_terminal:
        grid = Table.grid(padding=(0, 2))
        grid.add_row(mark, text)
        console.print(grid)
    else:  # one line each, whatever its length
        console.print(Text.assemble(mark, "  ", text), soft_wrap=True)


class _Examination:
    """Asks each service for what it needs; what may not be asked is a finding, and the rest goes on."""

    def __init__(self, runtime: Runtime, table: Target, queue: QueueTarget, dead_letters: QueueTarget) -> None:
        self._table, self._queue, self._dead_letters = table.table, queue, dead_letters
        self._dynamodb, self._sqs, self._lambda, self._iam = (
            runtime.create_client(service, table) for service in ("dynamodb", "sqs", "lambda", "iam")
        )
        self._refused: list[Finding] = []
        self._table_arn: str | None = None

    def findings(self) -> Iterator[Finding]:
        queue = self._attributes("queue", self._queue)
        dead = self._attributes("dead-letter queue", self._dead_letters)
        if queue is not None and dead is not None:
            yield from doctor.check_queue(queue, dead["QueueArn"])
            yield from doctor.check_dead_letters(dead, queue["QueueArn"])
        yield from self._table_findings()
        if queue is not None:
            yield from self._consumer(queue, dead)
        yield from self._refused

    def _attributes(self, subject: str, queue: QueueTarget) -> Described | None:
        call = self._sqs.get_queue_attributes
        answer = self._ask(subject, "sqs:GetQueueAttributes", call, QueueUrl=queue.url, AttributeNames=["All"])
        return None if answer is None else answer["Attributes"]

    def _table_findings(self) -> Iterator[Finding]:
        name = self._table
        described = self._ask("table", "dynamodb:DescribeTable", self._dynamodb.describe_table, TableName=name)
        if described is not None:
            self._table_arn = described["Table"]["TableArn"]
            yield from doctor.check_table(described["Table"])
        ttl = self._ask("table", "dynamodb:DescribeTimeToLive", self._dynamodb.describe_time_to_live, TableName=name)
        if ttl is not None:
            yield doctor.check_expiry(ttl)
        call = self._dynamodb.describe_continuous_backups
        backups = self._ask("table", "dynamodb:DescribeContinuousBackups", call, TableName=name)
        if backups is not None:
            yield doctor.check_backups(backups)
        for key in INDEXES:
            subject = f"index {key}-timestamp-index"
            query = {"KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": key}, "Limit": 1}
            query |= {"IndexName": f"{key}-timestamp-index", "ExpressionAttributeValues": {":k": {"S": "recs-doctor"}}}
            if self._ask(subject, "dynamodb:Query", self._dynamodb.query, TableName=name, **query) is not None:
                yield Finding(subject, "right", "may be read by you")

    def _consumer(self, queue: Described, dead: Described | None) -> Iterator[Finding]:
        call = self._lambda.list_event_source_mappings
        answer = self._ask("mapping", "lambda:ListEventSourceMappings", call, EventSourceArn=queue["QueueArn"])
        if answer is None:
            return
        found = answer["EventSourceMappings"]
        yield doctor.finding("mapping", len(found) == 1, "hands the queue to exactly one function", f"{len(found)}")
        for mapping in found:
            call, name = self._lambda.get_function_configuration, mapping["FunctionArn"]
            function = self._ask("function", "lambda:GetFunctionConfiguration", call, FunctionName=name)
            if function is None:
                continue
            yield from doctor.check_mapping(mapping, function, queue)
            yield from doctor.check_function(function, self._table, self._dead_letters.url)
            if dead is not None and self._table_arn is not None:
                yield from self._permissions(function["Role"], queue["QueueArn"], dead["QueueArn"], self._table_arn)

    def _permissions(self, role: str, queue_arn: str, dead_arn: str, table_arn: str) -> Iterator[Finding]:
        for resource, actions, wanted in (
            (queue_arn, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], "allowed"),
            (dead_arn, ["sqs:SendMessage"], "allowed"),
            (table_arn, ["dynamodb:BatchWriteItem", "dynamodb:PutItem"], "allowed"),
            (table_arn, ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:DeleteItem"], "refused"),
        ):
            parameters = {"PolicySourceArn": role, "ActionNames": actions, "ResourceArns": [resource]}
            call = self._iam.simulate_principal_policy
            answer = self._ask(_ROLE, "iam:SimulatePrincipalPolicy", call, **parameters)
            if answer is None:
                return
            for result in answer["EvaluationResults"]:
                allowed = result["EvalDecision"] == "allowed"
                what = f"is {wanted} {result['EvalActionName']} on {resource.rpartition(':')[2]}"
                yield doctor.finding(_ROLE, allowed == (wanted == "allowed"), what, result["EvalDecision"])

    def _ask(self, subject: str, action: str, call: Callable[..., Any], **parameters: Any) -> Any:
        """Return AWS's answer, or None and note why there is none."""
        from botocore.exceptions import ClientError

        try:
            return call(**parameters)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            if any(part in code for part in _MISSING):
                note = Finding(
                    subject, "wrong", "is there", "nothing", "Check --table, the URLs and --region, or deploy it."
                )
            else:
                remedy = f"Use an identity that may {action}."
                note = Finding(subject, "unknown", f"an answer to {action}", visible(code), remedy)
            if note not in self._refused:
                self._refused.append(note)
            return None
