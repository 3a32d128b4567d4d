"""The tree of errors is what its module's drawing says."""

import inspect
import re

from workbench import errors
from workbench.errors import WorkbenchError, did_you_mean


def classes():
    return {
        n: c
        for n, c in vars(errors).items()
        if inspect.isclass(c) and issubclass(c, WorkbenchError)
    }


def test_the_drawing_names_every_class_under_its_parent():
    drawn = re.findall(r"^\s*([│ ]*)(?:[├└]── )?(\w+Error)\b", errors.__doc__, re.MULTILINE)
    assert {name for _, name in drawn} == set(classes())
    assert set(classes()) <= set(errors.__all__)


def test_exit_codes_are_those_of_the_drawing():
    for name, code in re.findall(r"(\w+Error) ·+ (\d)", errors.__doc__):
        for each in classes().values():
            if issubclass(each, classes()[name]):
                assert each.exit_code == int(code)


def test_near_names_are_suggested_and_far_ones_not():
    assert did_you_mean("upp", ["up", "down"]) == "did you mean 'up'?"
    assert did_you_mean("zzz", ["up"]) == ""
