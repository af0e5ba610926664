"""The commands; no science here."""

from linmlp.cli.main import app, main

__all__ = ["app", "main"]
