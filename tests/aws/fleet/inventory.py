"""Everything that a fleet could leave behind in an account."""

from __future__ import annotations

from partwarden.aws.account import Account


def inventory(account: Account) -> dict[str, list[str]]:
    """Names by kind of resource."""
    ec2, iam = account.client("ec2"), account.client("iam")
    scheduler, logs = account.client("scheduler"), account.client("logs")
    return {
        "stacks": sorted(
            each["StackName"]
            for each in account.client("cloudformation").list_stacks()["StackSummaries"]
            if each["StackStatus"] != "DELETE_COMPLETE"
        ),
        "buckets": sorted(each["Name"] for each in account.client("s3").list_buckets()["Buckets"]),
        "functions": sorted(each["FunctionName"] for each in account.client("lambda").list_functions()["Functions"]),
        "mappings": [
            each["UUID"] for each in account.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        ],
        "queues": account.client("sqs").list_queues().get("QueueUrls", []),
        "tables": account.client("dynamodb").list_tables()["TableNames"],
        "topics": [each["TopicArn"] for each in account.client("sns").list_topics()["Topics"]],
        "roles": sorted(each["RoleName"] for each in iam.list_roles()["Roles"]),
        "logs": sorted(each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]),
        "alarms": sorted(
            each["AlarmName"] for each in account.client("cloudwatch").describe_alarms().get("MetricAlarms", [])
        ),
        "schedules": sorted(each["Name"] for each in scheduler.list_schedules()["Schedules"]),
        "groups of schedules": sorted(
            each["Name"] for each in scheduler.list_schedule_groups()["ScheduleGroups"] if each["Name"] != "default"
        ),
        "security groups": sorted(each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]),
        "endpoints": sorted(
            each["VpcEndpointId"]
            for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if each["State"].lower() != "deleted"
        ),
    }
