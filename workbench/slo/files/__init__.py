"""Objectives from files: our own TOML, OpenSLO v1 and Sloth."""

from workbench.slo.files.gathering import Remark
from workbench.slo.files.reading import Objectives, load_objectives

__all__ = ["Objectives", "Remark", "load_objectives"]
