"""How a command ends: its exit codes, and ending with a sentence instead of a stack trace."""

import sys
from typing import NoReturn

import click

CLEAN, ERRORS, UNUSABLE = 0, 1, 2


def fail(message: str) -> NoReturn:
    """End with exit code 2: the input cannot be used, or the part is not installed or not built."""
    click.echo(f"vawg: {message}", err=True)
    sys.exit(UNUSABLE)
