"""What a trial environment costs: list prices of one region, as far as they are known, so that nobody is surprised."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

REGION = "us-east-1"
AS_OF = 2025
"""The year whose list prices these are; they were not held against AWS's own pages since. They change, and regions differ."""

_HOURS_A_MONTH = Decimal(730)

_ACU_HOUR = Decimal("0.12")  # Aurora Standard: https://aws.amazon.com/rds/aurora/pricing/
_ENDPOINT_HOUR = Decimal("0.01")  # each zone: https://aws.amazon.com/privatelink/pricing/
_HOST_HOUR = Decimal("0.0042")  # t4g.nano, Linux: https://aws.amazon.com/ec2/pricing/on-demand/
_DISK_GB_MONTH = Decimal("0.08")  # gp3: https://aws.amazon.com/ebs/pricing/
_SECRET_MONTH = Decimal("0.40")  # https://aws.amazon.com/secrets-manager/pricing/
_STORAGE_GB_MONTH = Decimal("0.10")  # Aurora Standard

_ENDPOINTS = 2
_DISK_GB = 8
_STORAGE_GB = 1


@dataclass(frozen=True)
class Price:
    """A priced resource: US dollars an hour, at least and at most."""

    what: str
    least: Decimal
    most: Decimal


def of_trial(least_acu: Decimal, most_acu: Decimal) -> tuple[Price, ...]:
    """What each thing costs that a trial environment has. What is not among them costs nothing, or less than a cent."""

    def steady(what: str, dollars: Decimal) -> Price:
        return Price(what, dollars, dollars)

    return (
        Price(f"Aurora Serverless v2, {least_acu:f} to {most_acu:f} ACU", least_acu * _ACU_HOUR, most_acu * _ACU_HOUR),
        steady(f"{_ENDPOINTS} interface endpoints in one zone, for Session Manager", _ENDPOINTS * _ENDPOINT_HOUR),
        steady("host, t4g.nano", _HOST_HOUR),
        steady(f"its disk, {_DISK_GB} GB gp3", _DISK_GB * _DISK_GB_MONTH / _HOURS_A_MONTH),
        steady("secret of the master user", _SECRET_MONTH / _HOURS_A_MONTH),
        steady(f"storage of the database, {_STORAGE_GB} GB", _STORAGE_GB * _STORAGE_GB_MONTH / _HOURS_A_MONTH),
    )
