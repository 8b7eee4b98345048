"""Roles such as an executor's on the local stack, and sessions of roles."""

import json

from infra.local import LocalStack


def create_role(stack: LocalStack, name: str, *policies: str) -> str:
    """Create a role such as an executor's, with these managed policies; return its ARN."""
    iam = stack.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return arn


def session_of(stack: LocalStack, role: str) -> dict[str, str]:
    """Assume a role; return its credentials as environment variables."""
    credentials = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
