"""The fixtures of reports: a run's record and an executed notebook."""

from report_pages import make_record, notebook, study

__all__ = ["make_record", "notebook", "study"]
