"""The session: connect to a source, ask it, study it.

This is where the rooms meet: a plan of an analysis is asked of a source, the frames are judged,
and the result is joined with its view, its findings and its provenance.
"""

from workbench.session.connecting import connect, snapshot
from workbench.session.study import Study
from workbench.session.workbench import Workbench

__all__ = ["Study", "Workbench", "connect", "snapshot"]
