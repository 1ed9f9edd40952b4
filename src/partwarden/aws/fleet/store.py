"""The bucket that the functions' package lies in: a stack of its own, which is made before the fleet's and goes after it."""

from __future__ import annotations

from importlib import resources

from partwarden.aws import stacks
from partwarden.aws.account import Account, ClientError, aws_errors, error_code
from partwarden.aws.stacks import ChangeSet, Tell
from partwarden.errors import AwsFailed

OUTPUT = "BucketName"


def stack_name(fleet: str) -> str:
    """What the bucket's stack is called."""
    return f"{fleet}-code"


def bucket_of(account: Account, fleet: str) -> str | None:
    """The bucket's name; None where it has not been made, or not wholly."""
    stack = stacks.find(account, stack_name(fleet))
    return stack.outputs.get(OUTPUT) if stack is not None and stack.is_healthy else None


def propose(account: Account, fleet: str) -> ChangeSet | None:
    """What making the bucket, or bringing it up to date, would change."""
    body = resources.files("partwarden.aws").joinpath("fleet-bucket.yaml").read_text(encoding="utf-8")
    return stacks.propose(account, stack_name(fleet), body, {}, {"partwarden": "fleet-code"})


def has(account: Account, bucket: str, key: str) -> bool:
    """Whether a package lies there."""
    with aws_errors(f"could not look for {key} in bucket {bucket}"):
        try:
            account.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey", "NotFound"):
                return False
            raise
    return True


def put(account: Account, bucket: str, key: str, package: bytes) -> None:
    """Put a package there."""
    with aws_errors(f"could not put the functions' package into bucket {bucket}"):
        account.client("s3").put_object(Bucket=bucket, Key=key, Body=package, ContentType="application/zip")


def keep_only(account: Account, bucket: str, keys: set[str]) -> int:
    """Remove all other packages; how many there were."""
    with aws_errors(f"could not remove old packages from bucket {bucket}"):
        client = account.client("s3")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        old = [each["Key"] for page in pages for each in page.get("Contents", []) if each["Key"] not in keys]
        for key in old:
            client.delete_object(Bucket=bucket, Key=key)
    return len(old)


def destroy(account: Account, fleet: str, tell: Tell) -> bool:
    """Empty the bucket and delete its stack. False when there was none."""
    stack = stacks.settle(account, stack_name(fleet), tell)
    if stack is None:
        return False
    bucket = stack.resources.get("Bucket")
    if bucket is not None and bucket.physical_id:
        with aws_errors(f"could not empty bucket {bucket.physical_id}"):
            try:
                keep_only(account, bucket.physical_id, set())
            except AwsFailed as failure:
                if "NoSuchBucket" not in failure.problem:
                    raise
    return stacks.delete(account, stack_name(fleet), tell)
