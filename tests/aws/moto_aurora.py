"""moto, with what a trial environment takes and its CloudFormation lacks: Aurora clusters, and hosts with their network."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import os
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto.cloudformation import parsing
from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.subnets import SubnetRouteTableAssociation
from moto.ec2.models.vpcs import VPCEndPoint
from moto.rds.responses import RDSResponse

VERSION = "17.9"
"""What this Aurora takes when it is not told a version."""

_ZONES = "abcd"


def mend_aurora(patch: pytest.MonkeyPatch) -> None:
    """Resources by moto's own API, so that whoever asks it sees them; Fn::Cidr; versions and zones made up."""
    clean = parsing.clean_json

    def clean_with_cidr(what: Any, resources: Any) -> Any:
        if isinstance(what, dict) and "Fn::Cidr" in what:
            block, count, bits = (clean(each, resources) for each in what["Fn::Cidr"])
            subnets = ipaddress.ip_network(block).subnets(new_prefix=32 - int(bits))
            return [str(each) for each in itertools.islice(subnets, int(count))]
        return clean(what, resources)

    patch.setattr(parsing, "clean_json", clean_with_cidr)
    for kind, name_type, create, delete in (
        ("AWS::RDS::DBClusterParameterGroup", "DBClusterParameterGroupName", _parameter_group, "parameter_group"),
        ("AWS::RDS::DBCluster", "DBClusterIdentifier", _cluster, "cluster"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier", _instance, "instance"),
        ("AWS::EC2::Instance", "", _host, "host"),
    ):
        patch.setitem(get_model_map(), kind, _model(kind, name_type, create, delete))
        patch.setitem(get_name_type_map(), kind, name_type)
    patch.setattr(RouteTable, "delete", _delete_route_table, raising=False)
    patch.setattr(VPCEndPoint, "delete", _delete_endpoint, raising=False)
    patch.setattr(SubnetRouteTableAssociation, "delete", _disassociate, raising=False)
    patch.setattr(RDSResponse, "describe_db_engine_versions", _versions, raising=False)
    patch.setattr(RDSResponse, "describe_orderable_db_instance_options", _options)


class _Made(CloudFormationModel):
    """A resource that was made by an API call; ``attributes`` are what Fn::GetAtt takes."""

    def __init__(self, kind: str, physical_id: str, delete: str, attributes: dict[str, str]) -> None:
        self.type = kind
        self.physical_resource_id = physical_id
        self._delete = delete
        self._attributes = attributes

    def get_cfn_attribute(self, name: str) -> str:
        return self._attributes[name]  # moto splits Endpoint.Address, and asks for the first half

    def delete(self, *_: str) -> None:
        rds, name = client("rds"), self.physical_resource_id
        if self._delete == "cluster":
            rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
        elif self._delete == "instance":
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        elif self._delete == "parameter_group":
            rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)
        else:
            client("ec2").terminate_instances(InstanceIds=[name])


def client(service: str) -> Any:
    """A client of the moto that runs."""
    return _client(service, os.environ["AWS_ENDPOINT_URL"])


@functools.cache
def _client(service: str, endpoint: str) -> Any:
    return boto3.session.Session().client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


Create = Callable[[str, dict[str, Any]], tuple[str, dict[str, str]]]


def _model(kind: str, name_type: str, create: Create, delete: str) -> type[CloudFormationModel]:
    class Model(_Made):
        @staticmethod
        def cloudformation_type() -> str:
            return kind

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_type

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, *_: str, **__: Any
        ) -> _Made:
            physical_id, attributes = create(resource_name, dict(cloudformation_json["Properties"]))
            return cls(kind, physical_id, delete, attributes)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource: Any, cloudformation_json: Any, **_: Any) -> Any:  # type: ignore[override]
            if kind == "AWS::RDS::DBCluster":
                capacity = cloudformation_json["Properties"]["ServerlessV2ScalingConfiguration"]
                client("rds").modify_db_cluster(
                    DBClusterIdentifier=original_resource.physical_resource_id,
                    ServerlessV2ScalingConfiguration={name: float(value) for name, value in capacity.items()},
                )
            return original_resource

    return Model


def _parameter_group(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    name = name.lower()
    client("rds").create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )
    return name, {}


def _cluster(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    capacity = properties["ServerlessV2ScalingConfiguration"]
    properties["ServerlessV2ScalingConfiguration"] = {name: float(value) for name, value in capacity.items()}
    del properties["DeleteAutomatedBackups"]
    subnets = properties["DBSubnetGroupName"]
    properties["DBSubnetGroupName"] = getattr(subnets, "name", subnets)
    made = client("rds").create_db_cluster(**{**properties, "DBClusterIdentifier": name})["DBCluster"]
    return name, {
        "Endpoint": made["Endpoint"],
        "MasterUserSecret": made["MasterUserSecret"]["SecretArn"],
    }


def _instance(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    client("rds").create_db_instance(**{**properties, "DBInstanceIdentifier": name})
    return name, {}


def _host(_: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
    interfaces = [
        {**each, "DeviceIndex": int(each["DeviceIndex"]), "Groups": each["GroupSet"]}
        for each in properties.pop("NetworkInterfaces")
    ]
    for each in interfaces:
        del each["GroupSet"]
    tags = properties.pop("Tags")
    properties["LaunchTemplate"]["Version"] = str(properties["LaunchTemplate"]["Version"])
    made = client("ec2").run_instances(
        **{**properties, "IamInstanceProfile": {"Name": properties["IamInstanceProfile"]}},
        NetworkInterfaces=interfaces,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        MinCount=1,
        MaxCount=1,
    )
    return made["Instances"][0]["InstanceId"], {}


def _delete_route_table(self: Any, *_: str) -> None:
    client("ec2").delete_route_table(RouteTableId=self.id)


def _delete_endpoint(self: Any, *_: str) -> None:
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[self.id])


def _disassociate(self: Any, *_: str) -> None:
    ec2 = client("ec2")
    for table in ec2.describe_route_tables(Filters=[{"Name": "route-table-id", "Values": [self.route_table_id]}])[
        "RouteTables"
    ]:
        for each in table["Associations"]:
            if each.get("SubnetId") == self.subnet_id:
                ec2.disassociate_route_table(AssociationId=each["RouteTableAssociationId"])


def _versions(self: Any) -> ActionResult:
    return ActionResult({"DBEngineVersions": [{"Engine": "aurora-postgresql", "EngineVersion": VERSION}]})


def _options(self: Any) -> ActionResult:
    major = int(self.params["EngineVersion"].partition(".")[0])
    zones = [{"Name": f"{self.region}{zone}"} for zone in _ZONES]
    option = {"DBInstanceClass": self.params["DBInstanceClass"], "AvailabilityZones": zones}
    return ActionResult({"OrderableDBInstanceOptions": [option] if 15 <= major <= 17 else []})
