"""What every verb shares: consoles, exit codes, and how an error is shown."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from ..config.errors import BusyError, InputError, XiaozhengError

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_INTERRUPTED: Final = 130

# A pipe has no width of its own; folded tables would be of no use to whoever reads it.
PIPE_COLUMNS: Final = 200

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True, highlight=False)


def exit_code(error: XiaozhengError) -> int:
    """2 when the user's input is to blame, 1 when something of ours is."""
    return EXIT_BAD_INPUT if isinstance(error, InputError) else EXIT_FAILED


def show_error(error: XiaozhengError) -> None:
    """One Chinese line for the user, and the English text where it says more."""
    hint = f"（{error.retry_after_s:.0f} 秒后再试）" if isinstance(error, BusyError) else ""
    err.print(f"错误：{error.message_zh}{hint}", style="bold red", markup=False)
    if str(error) != error.message_zh:
        err.print(f"  {error}", style="dim", markup=False)


def fail(error: XiaozhengError) -> NoReturn:
    """Show the error and leave with its exit code."""
    show_error(error)
    raise typer.Exit(exit_code(error))


def print_json(data: Any, *, indent: int | None = 2) -> None:
    """JSON on stdout, Chinese unescaped, nothing else around it."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=indent) + "\n")


def local_time(moment: datetime | None, zone: str = "Asia/Shanghai") -> str:
    """`HH:MM:SS` in the camera's time zone, or a dash."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S") if moment else "—"
