"""Delete the dev stage and everything it stored: `python -m infra.deploy.destroy dev`. Other stages are refused."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.deploy import account, sam, stages
from infra.errors import DeployError
from recommendation_shared.aws_errors import MISSING_RESOURCE, error_code

DESTROYABLE = "dev"

_MESSAGES = "ApproximateNumberOfMessages"


def destroy(stage: stages.Stage, *, account_number: str | None, confirmed: str | None) -> None:
    """Show what will be deleted, ask, and delete the stack, and the tables and queues that outlive it.

    Raises `DeployError`.
    """
    if stage.name != DESTROYABLE:
        raise DeployError(
            f"{stage.name} holds records that must be kept; this command destroys only {DESTROYABLE}. "
            "docs/deploy.md says how to retire another stage by hand"
        )
    sam.executable()
    asks = stages.must_ask(stage, confirmed)
    caller = account.current(account_number)
    outputs = _outputs(caller, stage.stack_name)
    if outputs is not None and outputs.get("Stage") != DESTROYABLE:
        raise DeployError(f"the stack {stage.stack_name} is of stage {outputs.get('Stage')}; nothing was deleted")
    tables = {name: table for name in stage.table_names if (table := _table(caller, name)) is not None}
    queues = _queues(caller, stage.queue_names)
    doomed = [
        *([f"the stack {stage.stack_name}"] if outputs is not None else ()),
        *(f"the table {name}, with about {table['ItemCount']} items" for name, table in tables.items()),
        *(f"the queue {name}, with about {messages} messages" for name, messages in queues.items()),
    ]
    sys.stdout.write(f"{caller.describe()}\n")
    if not doomed:
        sys.stdout.write(f"The stack {stage.stack_name}, its tables and queues do not exist: nothing to do.\n")
        return
    sys.stdout.write("This permanently deletes:\n" + "".join(f"  {each}\n" for each in doomed))
    if asks and input(f"Type {stage.name} to confirm: ") != stage.name:
        raise DeployError("not confirmed; nothing was deleted")
    if outputs is not None:
        sam.delete(stage.stack_name, caller.region)
    for name in tables:
        _delete_table(caller, name)
        sys.stdout.write(f"Deleted the table {name}\n")
    for name in queues:
        _delete_queue(caller, name)
        sys.stdout.write(f"Deleted the queue {name}\n")


def _outputs(caller: account.Account, stack_name: str) -> Mapping[str, str] | None:
    """Return the stack's outputs, or None if there is no such stack."""
    try:
        (stack,) = caller.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error_code(error) == "ValidationError":  # how CloudFormation reports a stack that does not exist
            return None
        raise _refused("DescribeStacks", error) from error
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _table(caller: account.Account, name: str) -> Mapping[str, Any] | None:
    try:
        table: Mapping[str, Any] = caller.client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) in MISSING_RESOURCE:
            return None
        raise _refused("DescribeTable", error) from error
    return table


def _queues(caller: account.Account, names: Sequence[str]) -> dict[str, str]:
    """Return about how many messages each of the queues has that exist."""
    sqs, found = caller.client("sqs"), dict[str, str]()
    for name in names:
        try:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_MESSAGES])["Attributes"]
        except ClientError as error:
            if error_code(error) in MISSING_RESOURCE:
                continue
            raise _refused("GetQueueAttributes", error) from error
        found[name] = attributes[_MESSAGES]
    return found


def _delete_queue(caller: account.Account, name: str) -> None:
    """Delete a queue, which every stack retains when it is deleted."""
    sqs = caller.client("sqs")
    try:
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if error_code(error) not in MISSING_RESOURCE:  # the stack has deleted it after all
            raise _refused("DeleteQueue", error) from error


def _delete_table(caller: account.Account, name: str) -> None:
    """Delete a table, which every stack retains when it is deleted."""
    dynamodb = caller.client("dynamodb")
    try:
        dynamodb.delete_table(TableName=name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})
    except ClientError as error:
        raise _refused("DeleteTable", error) from error
    except WaiterError as error:
        raise DeployError(f"the table {name} is still being deleted after five minutes") from error


def _refused(call: str, error: ClientError) -> DeployError:
    described = error.response["Error"]
    return DeployError(f"{call} failed: {described['Code']}: {described.get('Message', '')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Destroy from the command line; return 0 if nothing of the stage is left."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.destroy",
        description="Delete the dev stage: its stack, its tables with all they hold and its queues.",
    )
    parser.add_argument("stage", help=f"{DESTROYABLE}; other stages are refused")
    parser.add_argument("--account", metavar="DIGITS", help="the account of the stage; any other is refused")
    parser.add_argument("--confirm", metavar="STAGE", help="the stage's name again: destroy without asking")
    options = parser.parse_args(arguments)
    try:
        destroy(stages.load(options.stage, {}), account_number=options.account, confirmed=options.confirm)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
