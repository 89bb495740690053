"""Checks of models and settings files: each is opened as the service would open it."""

from __future__ import annotations

import numpy as np

from ..config.errors import XiaozhengError
from ..models.registry import Registry
from ..models.runtimes import open_session
from ..nlp.router import Router
from ..nlp.transcript import Transcript
from ..serve.hotline_places import CallPlaces, load_city
from ..serve.hotline_vault import Vault
from ..serve.settings import Settings
from ..vision.cameras import load_cameras
from ..vision.detector import Detector
from ..vision.evidence_clip import clip_kinds
from ..vision.film import require_encoder
from ..vision.health import read_reference
from ..vision.kinds import DEFAULT_KINDS, load_kinds
from .doctor_finding import Finding, fail, ok, warn

FRAME = np.full((360, 640, 3), 114, np.uint8)
CALL = "建设路口的路灯坏了三天，晚上看不清路"
REPAIR_SHELF = (
    "运行 xiaozheng models verify 看哪个文件不符，从发布包恢复或 xiaozheng models rollback"
)


def check_detector(settings: Settings) -> list[Finding]:
    """Hashes, opening, and one answer."""
    subject = "检测模型"
    if not settings.detector:
        return [warn(subject, "已关闭（detector 为空）", "不需要视觉识别时可以如此")]
    try:
        artifact = Registry(settings.shelf).resolve(settings.detector)
        session = open_session(
            artifact.model_path, backend=settings.backend, threads=settings.threads
        )
        detector = Detector(artifact, session)
        detector.detect([FRAME])
    except XiaozhengError as error:
        return [fail(subject, error.message_zh, REPAIR_SHELF)]
    return [
        ok(
            subject,
            f"{detector.ref} 哈希相符，能打开并作答（{session.backend} {session.precision}）",
        )
    ]


def check_router(settings: Settings) -> list[Finding]:
    """The router with the city's departments, rules' file aside, answers one call."""
    subject = "分派模型"
    if not settings.router:
        return [warn(subject, "已关闭（router 为空）", "不需要热线分派时可以如此")]
    try:
        router = Router.open(Registry(settings.shelf), settings.router, settings.departments)
        (answer,) = router.route([Transcript("doctor", CALL)])
    except XiaozhengError as error:
        return [fail(subject, error.message_zh, REPAIR_SHELF)]
    return [ok(subject, f"{router.ref} 哈希相符，作答：{answer.departments[0].name}")]


def check_places(settings: Settings) -> list[Finding]:
    """The model that finds places, with the city's files."""
    subject = "地点模型"
    registry = Registry(settings.shelf)
    if not settings.router or not settings.places:
        return []
    if settings.places.partition("@")[0] not in registry.names():
        return [warn(subject, f"模型库中没有 {settings.places}", "来电将没有地点；可补装该模型")]
    try:
        city = load_city(settings.divisions, settings.points, settings.grids)
        places = CallPlaces(registry, settings.places, city)
        places.find("", CALL)
    except XiaozhengError as error:
        return [fail(subject, error.message_zh, "按提示改正城市文件；模型问题见 models verify")]
    known = {"行政区划": settings.divisions, "地名点": settings.points, "网格": settings.grids}
    lacking = [name for name, path in known.items() if path is None]
    if lacking:
        found = f"{places.ref} 能作答；未配置{'、'.join(lacking)}"
        return [warn(subject, found, "地点只能识别、不能对到本市，见 docs/places.md")]
    return [ok(subject, f"{places.ref} 能作答")]


def check_cameras(settings: Settings) -> list[Finding]:
    """The cameras' file, reference pictures and, where clips are made, the encoder."""
    subject = "摄像机"
    if not settings.detector:
        return []
    if settings.cameras is None:
        return [warn(subject, "未指定 cameras.yaml", "用 --cameras 指定；没有登记的摄像机会被拒收")]
    try:
        kinds = load_kinds(settings.kinds or DEFAULT_KINDS)
        cameras = load_cameras(settings.cameras, kinds)
        for camera in cameras.cameras:
            read_reference(camera, settings.cameras.parent)
            if clip_kinds(camera, kinds):
                require_encoder()
    except XiaozhengError as error:
        return [fail(subject, error.message_zh, "按行号改正，再运行 xiaozheng cameras check")]
    bare = [camera.id for camera in cameras.cameras if not camera.zones]
    zones = sum(len(camera.zones) for camera in cameras.cameras)
    found = f"{len(cameras.cameras)} 路，{zones} 个区域"
    if bare:
        found += f"；{len(bare)} 路没有区域，如 {bare[0]}"
        return [warn(subject, found, "没有区域就不会产生事件：xiaozheng cameras draw")]
    return [ok(subject, found)]


def check_originals(settings: Settings) -> list[Finding]:
    """The key with which calls' originals are sealed; it is not shown."""
    if not settings.keep_originals:
        return []
    try:
        vault = Vault.open(settings.originals_key.get_secret_value(), settings.originals_key_file)
    except XiaozhengError:
        advice = "用 openssl rand -base64 32 生成，经 XIAOZHENG_ORIGINALS_KEY_FILE 给出"
        return [fail("原文密钥", "要求保留原文，但密钥缺失或不合要求", advice)]
    return [ok("原文密钥", f"可用，编号 {vault.key_id}")]
