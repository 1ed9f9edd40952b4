"""Partitions as code: what the file wants against what is there, as steps, and how they are done."""

from partwarden.planning.apply import Applied, Tell, Wait, apply
from partwarden.planning.plan import plan
from partwarden.planning.steps import Action, Change, Danger, DatabasePlan, Kind, Obstacle, Plan, Step, Warned

__all__ = [
    "Action",
    "Applied",
    "Change",
    "Danger",
    "DatabasePlan",
    "Kind",
    "Obstacle",
    "Plan",
    "Step",
    "Tell",
    "Wait",
    "Warned",
    "apply",
    "plan",
]
