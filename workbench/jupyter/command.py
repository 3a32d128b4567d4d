"""What stands behind `%promql`: an expression, and options before or after it.

PromQL is full of quotes, braces and dollar signs, so neither a shell's rules nor IPython's
variable expansion are let near it. Options are words that begin with ``--`` outside of strings; a
word ``$name`` that stands alone, as the whole expression or as a value, is a Python variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, get_args

from workbench.errors import InputError, did_you_mean
from workbench.jupyter.drawing import Form
from workbench.promql.tokens import tokenize

__all__ = ["OPTIONS", "Command", "read_command", "read_value"]

_OPTION: Final = re.compile(r"(?<!\S)--([A-Za-z][\w-]*)(?:\s*=\s*|\s+|$)")
_VALUE: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_VARIABLE: Final = re.compile(r"\$([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Command:
    """One use of `%promql`; None where an option is not given.

    Parameters
    ----------
    expression
        The PromQL.
    last, start, end, step
        The window, as `workbench.window.Window.resolve` takes them.
    at
        An instant instead of a window.
    source
        A URL, a name in `workbench.toml`, or a `Workbench`.
    form
        How to show it (``--as``); None lets the metric's type decide.
    """

    expression: str
    last: Any = None
    start: Any = None
    end: Any = None
    step: Any = None
    at: Any = None
    source: Any = None
    form: Form | None = None


OPTIONS: Final = tuple("as" if f.name == "form" else f.name for f in fields(Command)[1:])
"""The options, without their dashes."""


def read_command(
    line: str, cell: str | None = None, variables: Mapping[str, Any] | None = None
) -> Command:
    """Read what follows `%promql`, or a cell under `%%promql`.

    Parameters
    ----------
    line
        The magic's line.
    cell
        The cell below it, which then holds the expression.
    variables
        The notebook's variables.

    Raises
    ------
    InputError
        There is no expression, an option is unknown, lacks its value or contradicts another, or
        a variable does not exist.

    Examples
    --------
    >>> read_command('up{job="a --last b"} --last 6h --step 1m')
    Command(expression='up{job="a --last b"}', last='6h', start=None, end=None, step='1m', at=None, \
source=None, form=None)
    """
    known = variables or {}
    rest, options = _taken_apart(line, known)
    if cell is not None and rest:
        msg = f"{rest!r} stands on the line of %%promql, where only options belong"
        raise InputError(msg, "write the expression on the lines below")
    text = (rest if cell is None else cell).strip()
    expression = str(_variable(text, known)) if _VARIABLE.fullmatch(text) else text
    if not expression.strip():
        msg = "there is no expression"
        raise InputError(msg, "write one, such as: %promql sum by (job) (up) --last 6h")
    form = options.pop("as", None)
    if form is not None and form not in get_args(Form):
        msg = f"--as {form} is unknown"
        raise InputError(msg, f"use one of {', '.join(get_args(Form))}")
    window = sorted({"last", "start", "end", "step"} & set(options))
    if "at" in options and window:
        msg = f"--at asks for one instant, --{window[0]} for a range"
        raise InputError(msg, "give one of them")
    return Command(expression, form=form, **options)


def _taken_apart(line: str, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The expression, and the options by name."""
    strings = [(t.start, t.end) for t in tokenize(line) if t.kind == "string"]
    rest: list[str] = []
    options: dict[str, Any] = {}
    position = 0
    while match := _OPTION.search(line, position):
        if any(start < match.start() < end for start, end in strings):
            rest.append(line[position : match.end()])
            position = match.end()
            continue
        name = match[1]
        if name not in OPTIONS:
            near = did_you_mean(name, OPTIONS)
            msg = f"there is no option --{name}"
            raise InputError(
                msg, near or f"there are --{', --'.join(OPTIONS)}; PromQL writes a - -b"
            )
        value = _VALUE.match(line, match.end())
        if value is None or value[0].startswith("--"):
            msg = f"--{name} lacks its value"
            raise InputError(msg, f"write --{name} VALUE")
        if name in options:
            msg = f"--{name} is given twice"
            raise InputError(msg, "give it once")
        rest.append(line[position : match.start()])
        options[name] = read_value(value[0], known)
        position = value.end()
    return "".join([*rest, line[position:]]).strip(), options


def read_value(text: str, known: Mapping[str, Any]) -> Any:
    """One value: a variable, or text with or without quotes."""
    if _VARIABLE.fullmatch(text):
        return _variable(text, known)
    return text[1:-1] if text[0] in "\"'" and text[-1] == text[0] and len(text) > 1 else text


def _variable(text: str, known: Mapping[str, Any]) -> Any:
    name = text[1:]
    if name not in known:
        near = did_you_mean(name, [k for k in known if not k.startswith("_")])
        msg = f"there is no variable {name!r}"
        raise InputError(msg, near or "run the cell that sets it")
    return known[name]
