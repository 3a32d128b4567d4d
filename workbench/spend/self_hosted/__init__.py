"""Models on one's own machines: what their tokens cost, how much of it idles, and an API beside it."""

from workbench.spend.self_hosted.analysis import self_hosted
from workbench.spend.self_hosted.conclusions import conclude_self_hosted
from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.machines import Machine, Serves, load_machines, read_machine
from workbench.spend.self_hosted.offers import BreakEven, Offer
from workbench.spend.self_hosted.planning import plan_self_hosted
from workbench.spend.self_hosted.result import MachineHours, SelfHosted

__all__ = [
    "BreakEven",
    "Machine",
    "MachineHours",
    "ModelCost",
    "Offer",
    "SelfHosted",
    "Serves",
    "conclude_self_hosted",
    "load_machines",
    "plan_self_hosted",
    "read_machine",
    "self_hosted",
]
