"""The version, said once; a room may ask for it without asking for the whole house."""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
