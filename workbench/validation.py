"""What a typed model refuses, said in one line."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from workbench.errors import did_you_mean

__all__ = ["explain_validation"]


def explain_validation(error: ValidationError, *models: type[BaseModel]) -> str:
    """Say in one line what is wrong, without the values, which may be secret.

    Parameters
    ----------
    error
        What was refused.
    models
        The model and those within it: names that are unknown are compared with their fields.
    """
    known = list(dict.fromkeys(name for model in models for name in model.model_fields))
    parts = []
    for problem in error.errors():
        place = ".".join(str(x) for x in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = did_you_mean(str(problem["loc"][-1]), known)
            parts.append(f"{place} is unknown" + (f" ({near})" if near else ""))
        else:
            said = problem["msg"].removeprefix("Value error, ")
            said = said[:1].lower() + said[1:]  # not all of it: it may name Europe/Berlin
            parts.append(f"{place}: {said}" if place else said)
    return "; ".join(parts)
