"""Starting quickly leaves everything that is needed in working order."""

import subprocess
import sys

CODE = """
import sys
from workbench.views.startup import import_jsonschema
import_jsonschema()
import jsonschema, nbformat
assert "rfc3987_syntax" not in sys.modules, "left blocked"
assert "lark" not in sys.modules, "grammars were built"
nbformat.validate(nbformat.v4.new_notebook())
jsonschema.validate({"a": 1}, {"type": "object"})
import_jsonschema()
"""


def test_jsonschema_is_whole_without_the_grammars():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_charts_are_drawn_without_the_grammars():
    """In a notebook of any Jupyter, where nothing but the chart itself asks for jsonschema."""
    code = "import sys; from workbench.views import theme; theme.enable(); assert 'lark' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
