"""Files of other tools as series: CSV, exposition text, logs of LLM requests."""

from workbench.store.importers.csv_series import import_csv
from workbench.store.importers.detect import FileFormat, detect_format, import_file
from workbench.store.importers.exposition_text import import_openmetrics
from workbench.store.importers.llm_requests import import_llm_requests
from workbench.store.importers.report import BadRow, Imported, ImportReport

__all__ = [
    "BadRow",
    "FileFormat",
    "ImportReport",
    "Imported",
    "detect_format",
    "import_csv",
    "import_file",
    "import_llm_requests",
    "import_openmetrics",
]
