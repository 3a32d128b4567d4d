"""Advice as Kubernetes quantities and patches.

Names of workloads and containers are other people's text: they become YAML through a serialiser,
never by being pasted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from workbench.capacity.sizing.containers import ContainerKey

__all__ = ["cpu_quantity", "memory_quantity", "patch", "patches_yaml"]

_MIB: Final = 1024**2
_API: Final = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "CronJob": "batch/v1",
    "ReplicationController": "v1",
}
"""Kinds with a pod template that can be patched, and the API that they belong to."""


def cpu_quantity(cores: float) -> str:
    """Cores as Kubernetes writes them, rounded up to a thousandth.

    Examples
    --------
    >>> cpu_quantity(0.2501), cpu_quantity(2.0)
    ('251m', '2')
    """
    milli = math.ceil(round(cores * 1000, 6))
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def memory_quantity(size: float) -> str:
    """Bytes as Kubernetes writes them, rounded up to a mebibyte.

    Examples
    --------
    >>> memory_quantity(1.0), memory_quantity(2 * 1024**3)
    ('1Mi', '2Gi')
    """
    mebibytes = math.ceil(size / _MIB)
    return f"{mebibytes // 1024}Gi" if mebibytes % 1024 == 0 and mebibytes else f"{mebibytes}Mi"


def patch(
    workload: ContainerKey, resources: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """A strategic merge patch of one workload; None where its kind has no pod template.

    Parameters
    ----------
    workload
        Kind, namespace and name count.
    resources
        By container: ``{"requests": {"cpu": "250m"}, "limits": {"cpu": None}}``; None takes
        a value away.
    """
    api = _API.get(workload.kind)
    if api is None or not workload.workload or not resources:
        return None
    listed = [{"name": name, "resources": each} for name, each in resources.items()]
    spec: dict[str, Any] = {"template": {"spec": {"containers": listed}}}
    if workload.kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    metadata = {"name": workload.workload}
    if workload.namespace:
        metadata["namespace"] = workload.namespace
    return {"apiVersion": api, "kind": workload.kind, "metadata": metadata, "spec": spec}


def patches_yaml(patches: Sequence[Mapping[str, Any]]) -> str:
    """Patches as one stream of YAML documents, each to be given to ``kubectl patch``.

    Examples
    --------
    >>> print(patches_yaml([{"kind": "Deployment", "metadata": {"name": "yes: no"}}]), end="")
    ---
    kind: Deployment
    metadata:
      name: 'yes: no'
    """
    import yaml

    if not patches:
        return ""
    return str(
        yaml.safe_dump_all(patches, sort_keys=False, explicit_start=True, allow_unicode=False)
    )
