"""`python -m xiaozheng.datasets.scenes stills|clips|events|suite`: render what training, demo and
the event suite need."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .choreography import Clip
from .clips import all_clips
from .event_clips import event_clips
from .stills import SAMPLES, render_stills
from .suite import write_suite


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one job; returns the exit code."""
    args = _parser().parse_args(argv)
    if args.job == "suite":
        write_suite(all_clips(), args.out)
        return 0
    with _bar() as progress:
        if args.job == "stills":
            _stills(args, progress)
        elif args.job == "events":
            _events(args, progress)
        else:
            for clip in _wanted(all_clips(), args.only):
                _clip(clip, args.out, args.work or args.out / "work", progress)
    return 0


def _wanted(clips: Sequence[Clip], names: Sequence[str] | None) -> list[Clip]:
    return [clip for clip in clips if not names or clip.name in names]


def _events(args: argparse.Namespace, progress: Progress) -> None:
    """Render the event suite; suite.yaml names the clips that are there, so it is usable early."""
    videos = args.out / "clips"
    videos.mkdir(parents=True, exist_ok=True)
    clips = event_clips()
    for clip in _wanted(clips, args.only):
        if not (videos / f"{clip.name}.mp4").exists():
            _clip(clip, videos, args.work or args.out / "work", progress)
        there = [c for c in clips if (videos / f"{c.name}.mp4").exists()]
        write_suite(there, args.out / "suite.yaml")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xiaozheng.datasets.scenes", description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    clips = jobs.add_parser("clips", help="render the sample clips and their true boxes")
    clips.add_argument("--out", type=Path, required=True, help="folder for the MP4 files")
    clips.add_argument(
        "--work", type=Path, help="folder for frames (default OUT/work); resumes there"
    )
    clips.add_argument(
        "--only", nargs="*", choices=[c.name for c in all_clips()], help="clip names"
    )
    events = jobs.add_parser("events", help="render the event suite: OUT/suite.yaml, OUT/clips")
    events.add_argument("--out", type=Path, required=True)
    events.add_argument("--work", type=Path, help="folder for frames (default OUT/work)")
    events.add_argument("--only", nargs="*", choices=[c.name for c in event_clips()])
    stills = jobs.add_parser("stills", help="render labelled training stills")
    stills.add_argument("--out", type=Path, required=True)
    stills.add_argument("--count", type=int, required=True)
    stills.add_argument("--seed", type=int, default=0, help="first seed; below 10000 for training")
    stills.add_argument("--samples", type=int, default=SAMPLES, help="light samples per pixel")
    stills.add_argument("--masks", action="store_true", help="instance masks as PNG, too")
    suite = jobs.add_parser("suite", help="write suite.yaml from the clip descriptions")
    suite.add_argument("--out", type=Path, required=True, help="the file to write")
    return parser


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )


def _stills(args: argparse.Namespace, progress: Progress) -> None:
    task = progress.add_task("stills", total=args.count)
    for _ in render_stills(args.seed, args.count, args.out, args.samples, args.masks):
        progress.advance(task)


def _clip(clip: Clip, out: Path, work: Path, progress: Progress) -> None:
    from .blender import Stage
    from .clip_render import FRAME_SAMPLES, render_clip
    from .video import encode, true_boxes

    folder = work / clip.name
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(FRAME_SAMPLES, folder)
    stage.set_street(clip.scene.street, clip.scene.light)
    stage.aim(clip.scene.camera)
    task = progress.add_task(clip.name, total=clip.frames)
    for _ in render_clip(clip, stage, folder):
        progress.advance(task)
    encode(clip, folder, out / f"{clip.name}.mp4")
    (work / f"{clip.name}.json").write_text(json.dumps(true_boxes(clip, folder)))


if __name__ == "__main__":
    raise SystemExit(main())
