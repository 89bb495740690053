"""The detector's report page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from .detector import CALIBRATION_MIN_SCORE, Evaluation
from .detector_coco import SIZES
from .detector_mistakes import draw_all, worst_mistakes
from .report import Bar, Line, Page, Tile, bar_chart, line_chart, number, percent

SIZES_ZH = {"small": "小（≤ 32² 像素）", "medium": "中（≤ 96² 像素）", "large": "大（> 96² 像素）"}
NOTHING_ZH, MISSED_ZH = "无（误报）", "漏检"
FULL = "overflowing_bin"


def detector_page(
    result: Evaluation, found: Mapping[str, Any], made: datetime, mistakes: int
) -> Page:
    """Key figures first, then what they are made of, the worst mistakes at the end.

    Args:
        result: the measurement.
        found: its `figures`.
        made: when.
        mistakes: how many pictures of mistakes to show at most.
    """
    page = Page(
        f"检测评测 · {found['model']}",
        f"{result.test_set.title} · {found['n_images']} 张图片 · {found['backend']} · "
        f"{made:%Y-%m-%d %H:%M} UTC",
    )
    page.tiles(*_tiles(found))
    _classes(page, result, found)
    _curves(page, result, found)
    _calibration(page, found)
    _confusion(page, result, found)
    _sizes(page, found)
    _left_out(page, found)
    if shots := draw_all(worst_mistakes(result, mistakes), result.run.labels_zh):
        note = (
            "绿框为标注，蓝框为识别结果，红色粗框为错误所在。各类各种错误轮流取最严重的："
            "误报看得分，漏检看大小和该处得分。"
        )
        page.pictures("最严重的错误", shots, note)
    return page


def _tiles(found: Mapping[str, Any]) -> list[Tile]:
    tiles = [
        Tile("AP50", percent(found["ap50"]), "IoU 0.5，各类平均"),
        Tile("AP", percent(found["ap"]), "IoU 0.50–0.95，COCO"),
        Tile("准确率", percent(found["precision"]), "在模型阈值上"),
        Tile("召回率", percent(found["recall"]), "在模型阈值上"),
        Tile(
            "误报 / 张",
            number(found["fp_per_image"]),
            f"{found['n_images_without_objects']} 张无目标图片",
        ),
        Tile("校准误差 ECE", number(found["calibration"]["ece"]), "越小越好"),
    ]
    if (state := found["bin_state"]) is not None:
        tiles.append(Tile("满溢与正常 F1", percent(state["f1"]), f"{state['found']} 个找到的桶"))
    if (full := found["false_per_image_without"].get(FULL)) is not None:
        hint = f"{full['images']} 张无桶图片"
        tiles.append(Tile("满溢误报 / 张", number(full["per_image"]), hint))
    if found["seconds_per_image"] is not None:
        tiles.append(Tile("每张耗时", f"{1000 * found['seconds_per_image']:.0f} ms", "不含解码"))
    return tiles


def _classes(page: Page, result: Evaluation, found: Mapping[str, Any]) -> None:
    rows = []
    for name, figure in found["per_class"].items():
        bare = found["false_per_image_without"][name]
        rows.append(
            (
                f"{figure['zh']} {name}",
                figure["n"],
                percent(figure["ap50"]),
                percent(figure["ap"]),
                f"{figure['threshold']:.2f}",
                percent(figure["precision"]),
                percent(figure["recall"]),
                percent(figure["f1"]),
                figure["false"],
                figure["missed"],
                bare["images"],
                number(bare["per_image"]),
            )
        )
    columns = (
        "类别", "标注框", "AP50", "AP", "阈值", "准确率", "召回率", "F1", "误报", "漏检",
        "无此类图片", "其上误报/张",
    )  # fmt: skip
    note = (
        "AP 用全部得分的框计算；准确率、召回率、F1、误报、漏检是产品实际使用的阈值上的数。"
        "最后两列只看完全没有同族目标（如垃圾桶与满溢垃圾桶为一族）的图片。"
    )
    page.table("各类指标", columns, rows, note)


def _curves(page: Page, result: Evaluation, found: Mapping[str, Any]) -> None:
    recall = np.linspace(0, 1, 101).tolist()
    charts = [bar_chart("各类 AP50", _ap_bars(found), high=1.0)]
    for k, (name, figure) in enumerate(found["per_class"].items()):
        if not figure["n"]:
            continue
        points = list(zip(recall, result.coco.precision[k].tolist(), strict=True))
        mark = (
            figure["recall"],
            figure["precision"],
            f"阈值 {figure['threshold']:.2f}：准确率 {percent(figure['precision'])}，"
            f"召回率 {percent(figure['recall'])}",
        )
        marks = [mark] if figure["hits"] else []
        charts.append(
            line_chart(
                f"{figure['zh']}：AP50 {percent(figure['ap50'])}",
                [Line(name, points, marks)],
                x_label="召回率",
                y_label="准确率",
                x_range=(0.0, 1.0),
                y_range=(0.0, 1.0),
            )
        )
    note = "IoU 0.5，COCO 插值。圆点为产品在模型阈值上实际给出的结果，可能略偏离曲线。"
    page.charts("准确率—召回率曲线", *charts, note=note)


def _ap_bars(found: Mapping[str, Any]) -> list[Bar]:
    return [
        Bar(figure["zh"], figure["ap50"] if figure["n"] else None, percent(figure["ap50"]))
        for figure in found["per_class"].values()
    ]


def _calibration(page: Page, found: Mapping[str, Any]) -> None:
    bins = found["calibration"]["bins"]
    filled = [b for b in bins if b["n"]]
    points = [(b["mean_score"], b["hit_rate"]) for b in filled]
    reliability = line_chart(
        f"可靠性图：ECE {number(found['calibration']['ece'])}",
        [Line("全部类别", points, dots=True)],
        x_label="平均得分",
        y_label="判对比例",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        diagonal=True,
    )
    counts = [Bar(f"{b['low']:.2f}–{b['high']:.2f}", float(b["n"]), str(b["n"])) for b in bins]
    per_class = [
        Bar(figure["zh"], figure["ece"] if figure["ece"] == figure["ece"] else None,
            number(figure["ece"]))
        for figure in found["per_class"].values()
    ]  # fmt: skip
    page.charts(
        "得分校准",
        reliability,
        bar_chart("各得分段的框数", counts),
        bar_chart("各类 ECE", per_class),
        note=f"得分不低于 {CALIBRATION_MIN_SCORE} 的框。点在虚线下方：模型过于自信。",
    )


def _confusion(page: Page, result: Evaluation, found: Mapping[str, Any]) -> None:
    names = [result.run.labels_zh[name] for name in result.names]
    note = "行为标注，列为识别结果（模型阈值）；同类先配对，余下的按位置（IoU ≥ 0.5）配对。"
    page.matrix(
        "混淆矩阵", [*names, NOTHING_ZH], [*names, MISSED_ZH], found["confusion"]["counts"], note
    )
    if (state := found["bin_state"]) is None:
        return
    whole = state["end_to_end"]
    page.matrix(
        "满溢与正常",
        ["正常", "满溢", NOTHING_ZH],
        ["正常", "满溢", MISSED_ZH],
        state["counts"]["values"],
        f"不论状态、只按位置配对后看哪一状态胜出。找到的桶中：满溢准确率 "
        f"{percent(state['precision'])}，召回率 {percent(state['recall'])}，F1 "
        f"{percent(state['f1'])}；连同漏检与误报：{percent(whole['precision'])}、"
        f"{percent(whole['recall'])}、{percent(whole['f1'])}。",
    )


def _sizes(page: Page, found: Mapping[str, Any]) -> None:
    rows = []
    for name in SIZES:
        size = found["by_size"][name]
        rates = (percent(size[key]) for key in ("ap50", "ap", "precision", "recall"))
        rows.append((SIZES_ZH[name], size["n"], *rates))
    columns = ("框的大小", "标注框", "AP50", "AP", "准确率", "召回率")
    page.table("按框的大小", columns, rows, "按原图像素面积，与 COCO 的小、中、大一致。")


def _left_out(page: Page, found: Mapping[str, Any]) -> None:
    classes = found["classes"]
    rows = [
        *((name, f"作为 {label}") for name, label in classes["renamed"].items()),
        *((name, "标注中没有、已声明图中不存在：其框全算误报") for name in classes["absent"]),
        *(
            (name, f"模型不认识，{count} 个标注框未计入")
            for name, count in classes["unknown_to_model"].items()
            if count
        ),
        *((name, "这套标注没有此类，不参与评分") for name in classes["not_labelled_in_set"]),
    ]
    if rows:
        page.table("类别的对应", ("类别", "如何处理"), rows)
    if found["problems"]:
        listed = [
            (f"{p['path']}:{p['line']}" if p["line"] else p["path"], p["reason"])
            for p in found["problems"]
        ]
        page.table("不可用的文件", ("文件", "原因"), listed, "已跳过，其余照常评分。")
