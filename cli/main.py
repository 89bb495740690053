"""Entry point of `xiaozheng`: a sub-command per verb, one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

import typer

from ..config.errors import XiaozhengError
from . import cameras
from .backup import backup, gc, restore
from .common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, exit_code, out, show_error
from .datasets import datasets
from .db import db
from .demo import demo
from .detect import detect
from .doctor import doctor
from .drift import drift
from .eval_detector import eval_detector
from .eval_events import eval_events
from .eval_matters import eval_matters
from .eval_personal_data import eval_personal_data
from .eval_places import eval_places
from .eval_restarts import eval_restarts
from .eval_router import eval_router
from .keys import keys
from .models import models
from .route import route
from .serve import serve
from .train_detector import train_detector
from .train_places import train_places
from .train_router import train_router
from .watch import watch
from .webhooks import webhooks

app = typer.Typer(
    help="小郑：城市事件识别与派单。退出码：0 成功，1 内部失败，2 输入有误。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train = typer.Typer(help="训练模型（需要 train 扩展：make setup-train）。", no_args_is_help=True)
evaluate = typer.Typer(help="评测：指标写成 JSON 与网页报告。", no_args_is_help=True)
app.command("demo")(demo)
app.command("serve")(serve)
app.command("doctor")(doctor)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("gc")(gc)
app.command("watch")(watch)
app.command("detect")(detect)
app.command("route")(route)
train.command("detector")(train_detector)
train.command("router")(train_router)
train.command("places")(train_places)
zones = typer.Typer(help="摄像机与区域：检查、画图、建议。", no_args_is_help=True)
zones.command("check")(cameras.check)
zones.command("draw")(cameras.draw)
zones.command("suggest")(cameras.suggest)
app.add_typer(zones, name="cameras")
app.add_typer(train, name="train")
evaluate.command("detector")(eval_detector)
evaluate.command("events")(eval_events)
evaluate.command("restarts")(eval_restarts)
evaluate.command("places")(eval_places)
evaluate.command("personal-data")(eval_personal_data)
evaluate.command("matters")(eval_matters)
evaluate.command("router")(eval_router)
app.add_typer(evaluate, name="eval")
app.add_typer(drift, name="drift")
app.add_typer(models, name="models")
app.add_typer(datasets, name="datasets")
app.add_typer(db, name="db")
app.add_typer(webhooks, name="webhooks")
app.add_typer(keys, name="keys")


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"xiaozheng {version('xiaozheng')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="显示版本"
    ),
) -> None:
    """小郑：城市事件识别与派单。退出码：0 成功，1 内部失败，2 输入有误。"""


def main() -> None:
    """Run the command line and leave with a code that scripts can use."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        app(arguments)
    except SystemExit as left:
        # Typer ends every command this way: 0, 2 for wrong usage, or the code of `typer.Exit`.
        return left.code if isinstance(left.code, int) else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except XiaozhengError as error:
        show_error(error)
        return exit_code(error)
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python's own flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return EXIT_OK


if __name__ == "__main__":
    main()
