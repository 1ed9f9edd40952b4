"""moto, with what it lacks of the real thing and a deploy meets: each of them is the emulator's gap, none is the product's."""

from __future__ import annotations

from typing import Any

import pytest
from moto.cloudformation.models import ChangeSet
from moto.core.responses import ActionResult, EmptyResult
from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend
from moto.rds.responses import RDSResponse


def mend(patch: pytest.MonkeyPatch) -> None:
    """Change sets that bring outputs and tags, and roles that can be removed from a cluster and from an instance."""
    patch.setattr(ChangeSet, "apply", _apply)
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
