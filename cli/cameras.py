"""`xiaozheng cameras`: check a cameras file, draw its zones, propose zones from a clip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer
from PIL import ImageFont
from rich import box
from rich.progress import track
from rich.table import Table

from ..config.errors import ImageError, InputError
from ..config.yamlfile import parse_with_lines, read_text
from ..models.registry import Registry
from ..vision.cameras import Camera, load_cameras
from ..vision.detector import Detector
from ..vision.drawing import encode_jpeg
from ..vision.health import read_reference
from ..vision.images import Image, decode, probe
from ..vision.kinds import DEFAULT_KINDS, Kind, load_kinds
from ..vision.lettering import find_font
from ..vision.video import frame_count, read_video
from ..vision.zone_tools import StandingMap, doubts, suggested
from ..vision.zone_tools_draw import draw_zones
from ..vision.zone_tools_page import drawing_page
from .common import EXIT_BAD_INPUT, err, out, print_json, show_error

KindsFile = Annotated[Path, typer.Option(help="事件类型：kinds.yaml")]
Still = Annotated[Path | None, typer.Option(help="一张静止画面（JPEG、PNG、WebP）")]
Clip = Annotated[Path | None, typer.Option(help="或一段视频，取其首帧")]
BATCH = 8


def check(
    file: Annotated[Path, typer.Argument(help="cameras.yaml")],
    kinds: KindsFile = DEFAULT_KINDS,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """检查摄像机与区域文件：错误逐条给出行号，可疑之处列表提示。退出码：0 可用，2 有错误。"""
    known = load_kinds(kinds)
    try:
        cameras = load_cameras(file, known)
        for camera in cameras.cameras:
            read_reference(camera, file.parent)
    except InputError as error:
        if as_json:
            print_json({"file": str(file), "ok": False, "errors": str(error).splitlines()})
        else:
            show_error(error)
        raise typer.Exit(EXIT_BAD_INPUT) from None
    _, lines = parse_with_lines(read_text(file), file)
    found = doubts(cameras, known, lines)
    if as_json:
        rows = [
            {"line": d.line, "camera": d.camera_id, "zone": d.zone_id, "text": d.text_zh}
            for d in found
        ]
        count = sum(len(camera.zones) for camera in cameras.cameras)
        print_json(
            {
                "file": str(file),
                "ok": True,
                "cameras": len(cameras.cameras),
                "zones": count,
                "doubts": rows,
            }
        )
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("摄像机", "名称", "区域", "区域名", "类型（停留）", "占画面", "时段"):
        table.add_column(column, overflow="fold")
    for camera in cameras.cameras:
        for zone in camera.zones:
            spells = [
                f"{known.by_id(k).zh} {zone.dwell_for(k, known.by_id(k).dwell_s):g} 秒"
                for k in zone.forbids
            ]
            hours = "、".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in zone.active) or "全天"
            table.add_row(
                camera.id,
                camera.name,
                zone.id,
                zone.name,
                "\n".join(spells),
                f"{_area(zone.polygon):.1%}",
                hours,
            )
    out.print(table)
    for doubt in found:
        where = f"{file}:{doubt.line}" if doubt.line else str(file)
        which = f"{doubt.camera_id} {doubt.zone_id}".strip()
        out.print(f"请留意 {where}：{which}：{doubt.text_zh}", markup=False)
    out.print(f"✓ {file}：{len(cameras.cameras)} 台摄像机可用，{len(found)} 处请留意", markup=False)


def draw(
    file: Annotated[Path, typer.Argument(help="cameras.yaml")],
    camera: Annotated[str, typer.Option(help="摄像机编号")],
    still: Still = None,
    clip: Clip = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="画好的图片，.jpg 或 .png")] = None,
    html: Annotated[
        Path | None, typer.Option(help="生成可点选画区域的网页（单个文件，不联网）")
    ] = None,
    font: Annotated[Path | None, typer.Option(help="中文字体文件；缺省时自动寻找")] = None,
    kinds: KindsFile = DEFAULT_KINDS,
) -> None:
    """把区域画到静止画面上，或生成一个可点选画区域的网页。退出码：0 完成，2 输入有误。"""
    if out_file is None and html is None:
        raise InputError("give --out or --html", message_zh="请给出 --out 或 --html")
    known = load_kinds(kinds)
    eye = load_cameras(file, known).by_id().get(camera)
    if eye is None:
        raise InputError(
            f"{file}: no camera {camera!r}", message_zh=f"{file} 中没有摄像机 {camera}"
        )
    image = _picture(still, clip)
    if html is not None:
        html.write_text(drawing_page(image, eye, known), encoding="utf-8")
        out.print(f"✓ 用浏览器打开 {html}，点选后复制 YAML", markup=False)
    if out_file is not None:
        letters = _font(font, image)
        if letters is None:
            err.print("没有找到中文字体，图上只写编号；可用 --font 指定", style="yellow")
        out_file.write_bytes(_encoded(draw_zones(image, eye, known, letters), out_file))
        out.print(f"✓ {len(eye.zones)} 个区域画在 {out_file}", markup=False)


def suggest(
    clip: Annotated[Path, typer.Argument(help="视频文件，画面不动，越长越好")],
    kind: Annotated[str, typer.Option(help="事件类型，如 illegal_parking")],
    out_file: Annotated[Path, typer.Option("--out", help="建议的 cameras.yaml")] = Path(
        "cameras.suggested.yaml"
    ),
    camera: Annotated[str, typer.Option(help="摄像机编号")] = "camera-1",
    min_s: Annotated[float, typer.Option(min=1, help="停留至少这么多秒的地方（累计）")] = 20.0,
    fps: Annotated[float, typer.Option(min=0.05, max=5, help="每秒取样帧数（视频时间）")] = 1.0,
    model: Annotated[str, typer.Option(help="检测模型")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    font: Annotated[Path | None, typer.Option(help="中文字体文件")] = None,
    kinds: KindsFile = DEFAULT_KINDS,
) -> None:
    """从目标久停之处建议区域，并画图供核对。退出码：0 完成，2 输入有误。"""
    known = load_kinds(kinds)
    try:
        wanted = known.by_id(kind)
    except KeyError:
        listed = "、".join(k.id for k in known.kinds)
        raise InputError(
            f"unknown kind {kind!r}", message_zh=f"未知类型 {kind}（可用：{listed}）"
        ) from None
    heat, image = _standing(clip, wanted, fps, Detector.open(Registry(shelf), model))
    places = heat.polygons(min_s)
    if not places:
        out.print(
            f"没有找到停留满 {min_s:g} 秒的地方：可减小 --min-s、换更长的视频，"
            "或检查检测模型能否看到该类目标"
        )
    eye = suggested(camera, wanted, (polygon for _, polygon in places))
    out_file.write_text(_yaml(eye, clip, [s for s, _ in places]), encoding="utf-8")
    review = out_file.with_suffix(".jpg")
    review.write_bytes(encode_jpeg(draw_zones(image, eye, known, _font(font, image))))
    for zone, (longest_s, _) in zip(eye.zones, places, strict=True):
        out.print(
            f"{zone.id} {zone.name}：最长 {longest_s:.0f} 秒，占画面 {_area(zone.polygon):.1%}",
            markup=False,
        )
    out.print(
        f"✓ {len(places)} 个建议区域在 {out_file}，请对照 {review} 核对、改名后使用", markup=False
    )


def _standing(clip: Path, kind: Kind, fps: float, detector: Detector) -> tuple[StandingMap, Image]:
    heat, image = StandingMap(kind), None
    total = frame_count(clip, fps)
    frames = read_video(clip, fps)
    for frame in track(
        frames, "识别中", total, console=err, transient=True, disable=not err.is_terminal
    ):
        image = frame.image if image is None else image
        (found,) = detector.detect([frame.image])
        heat.add(frame.ts.timestamp(), found)
    assert image is not None, "read_video gives a frame or raises"
    return heat, image


def _picture(still: Path | None, clip: Path | None) -> Image:
    if (still is None) == (clip is None):
        raise InputError(
            "give either --still or --clip", message_zh="请给出 --still 或 --clip 之一"
        )
    if clip is not None:
        return next(read_video(clip)).image
    assert still is not None
    try:
        data = still.read_bytes()
        return decode(data, probe(data))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{still}: {why}", message_zh=f"无法读取 {still}（{why}）") from None
    except ImageError as error:
        raise InputError(f"{still}: {error}", message_zh=f"{still}：{error.message_zh}") from None


def _encoded(image: Image, path: Path) -> bytes:
    """PNG where the name says so, else JPEG."""
    if path.suffix.lower() == ".png":
        return cv2.imencode(".png", image)[1].tobytes()
    return encode_jpeg(image)


def _font(path: Path | None, image: Image) -> ImageFont.FreeTypeFont | None:
    try:
        return find_font(max(13, image.shape[0] // 30), path)
    except OSError:
        raise InputError(f"{path}: not a font", message_zh=f"不是可用的字体文件：{path}") from None


def _area(polygon: tuple[tuple[float, float], ...]) -> float:
    turns = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in turns)) / 2


def _yaml(camera: Camera, clip: Path, seconds: list[float]) -> str:
    rows: list[Any] = [f"# 由 {clip.name} 建议，请核对、改名后使用。", "cameras:"]
    rows.append(f"  - id: {json.dumps(camera.id)}")
    rows.append("    zones:" if camera.zones else "    zones: []")
    for zone, longest_s in zip(camera.zones, seconds, strict=True):
        rows.append(f"      - id: {zone.id}  # 累计停留最长 {longest_s:.0f} 秒")
        rows.append(f"        name: {zone.name}")
        rows.append(f"        polygon: {json.dumps([list(p) for p in zone.polygon])}")
        rows.append(f"        forbids: [{', '.join(zone.forbids)}]")
    return "\n".join(rows) + "\n"
