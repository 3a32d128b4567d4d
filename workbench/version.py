"""The version, said once; a room may ask for it without asking for the whole house."""

__all__ = ["__version__"]

__version__ = "0.1.0"
