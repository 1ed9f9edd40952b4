"""moto, with what it lacks of the real thing and a deploy meets: each of them is the emulator's gap, none is the product's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudformation import parsing
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Stack
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.vpcs import VPCEndPoint
from moto.kms.responses import KmsResponse
from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse


def mend(patch: pytest.MonkeyPatch) -> None:
    """Change sets that bring outputs and tags, roles that can be removed from a cluster and from an instance, and what
    CloudFormation makes of AWS::NoValue in a list and of a security group's egress.
    """
    patch.setattr(ChangeSet, "apply", _apply)
    patch.setattr(CloudFormationBackend, "create_change_set", _create_change_set)
    patch.setattr(Stack, "parameter_list", property(_parameters))
    # It warns of each type of resource that it does not know, and passes over it; here, a warning is an error.
    patch.setattr(parsing, "warnings", SimpleNamespace(warn=lambda *_, **__: None))
    patch.setattr(parsing, "clean_json", _clean_json)
    patch.setattr(SecurityGroup, "create_from_cloudformation_json", classmethod(_create_security_group))
    patch.setattr(VPCEndPoint, "delete", _delete_endpoint, raising=False)
    # moto can't read the policy of a key that CloudFormation has made.
    patch.setattr(KmsResponse, "_validate_key_policy", lambda *_: None)
    patch.setattr(RDSResponse, "remove_role_from_db_cluster", _remove_role_from_db_cluster, raising=False)
    patch.setattr(RDSResponse, "remove_role_from_db_instance", _remove_role_from_db_instance, raising=False)


def _apply(self: Any) -> None:
    """moto makes the resources and leaves out all that makes a stack of them."""
    stack = self.stack
    stack.template = self.template
    stack.template_dict = self.template_dict
    stack.description = self.template_dict.get("Description")
    stack.parameters = self.parameters
    stack.tags = self.tags or {}
    stack.resource_map.tags.update(stack.tags)
    stack.resource_map.update(self.template_dict, self.parameters)
    stack.output_map = stack._create_output_map()


_clean_json_of_moto = parsing.clean_json
_create_security_group_of_moto: Any = vars(SecurityGroup)["create_from_cloudformation_json"].__func__


def _clean_json(resource_json: Any, resources_map: Any) -> Any:
    """moto leaves a None where AWS::NoValue stands in a list."""
    cleaned = _clean_json_of_moto(resource_json, resources_map)
    return [each for each in cleaned if each is not None] if isinstance(cleaned, list) else cleaned


def _create_security_group(cls: Any, resource_name: str, cloudformation_json: Any, *where: Any, **more: Any) -> Any:
    """moto passes over SecurityGroupEgress, and leaves the rule that lets everything out."""
    group = _create_security_group_of_moto(cls, resource_name, cloudformation_json, *where, **more)
    egress = cloudformation_json["Properties"].get("SecurityGroupEgress", [])
    if egress:
        group.egress_rules.clear()
    for rule in egress:
        groups = [{"GroupId": rule["DestinationSecurityGroupId"]}] if "DestinationSecurityGroupId" in rule else []
        group.ec2_backend.authorize_security_group_egress(
            group_name_or_id=group.id,
            ip_protocol=rule["IpProtocol"],
            from_port=rule["FromPort"],
            to_port=rule["ToPort"],
            ip_ranges=[{"CidrIp": rule["CidrIp"]}] if "CidrIp" in rule else [],
            source_groups=groups,
            vpc_id=group.vpc_id,
        )
    return group


_create_change_set_of_moto = CloudFormationBackend.create_change_set


def _create_change_set(self: Any, stack_name: str, *more: Any, **named: Any) -> Any:
    """moto makes a second stack of a name of which there is nothing but a proposal."""
    for arn, stack in list(self.stacks.items()):
        if stack.name == stack_name and stack.status == "REVIEW_IN_PROGRESS":
            del self.stacks[arn]
    return _create_change_set_of_moto(self, stack_name, *more, **named)


def _delete_endpoint(self: Any, *_: Any) -> None:
    """moto leaves an endpoint where it is when its stack goes."""
    self.ec2_backend.delete_vpc_endpoints([self.id])


def _parameters(self: Any) -> list[dict[str, Any]]:
    """moto shows a list as Python does."""
    return [
        {"ParameterKey": name, "ParameterValue": ",".join(value) if isinstance(value, list) else value}
        for name, value in self.resource_map.resolved_parameters.items()
    ]


def _remove_role_from_db_cluster(self: Any) -> ActionResult:
    cluster = self.backend.describe_db_clusters(self.params["DBClusterIdentifier"])[0]
    _remove(cluster._associated_roles, self.params, "DBCluster")
    return EmptyResult()


def _remove_role_from_db_instance(self: Any) -> ActionResult:
    backend: RDSBackend = self.backend
    instance = backend.describe_db_instances(self.params["DBInstanceIdentifier"])[0]
    _remove(instance._associated_roles, self.params, "DBInstance")
    return EmptyResult()


def _remove(roles: list[Any], params: Any, what: str) -> None:
    wanted = (params["RoleArn"], params["FeatureName"])
    found = [each for each in roles if (each.role_arn, each.feature_name) == wanted]
    if not found:
        raise RDSClientError(f"{what}RoleNotFoundFault", f"Role {wanted[0]} is not there for feature {wanted[1]}")
    roles.remove(found[0])
