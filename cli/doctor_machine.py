"""Checks of the machine: processor, memory, disk, clock, port, fonts."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from ..config.errors import XiaozhengError
from ..models.manifest import read_manifest
from ..models.registry import Registry
from ..models.runtimes import available_backends
from ..serve.disk_guard import DiskGuard
from ..serve.settings import MIB, Settings
from ..vision.lettering import find_font
from .doctor_finding import Finding, fail, ok, warn

GIB: Final = 1024 * MIB
CPUINFO: Final = Path("/proc/cpuinfo")
MEMINFO: Final = Path("/proc/meminfo")
# Instruction sets as Linux names them, with what each speeds up.
CPU_FLAGS: Final = {
    "amx_bf16": "AMX bf16",
    "avx512_bf16": "AVX-512 bf16",
    "avx512_vnni": "AVX-512 VNNI（int8）",
    "avx_vnni": "AVX VNNI（int8）",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}
WANTED_MEMORY: Final = 2 * GIB
TIME_ERROR: Final = 5
TIMEX_BYTES: Final = 512
SKEW: Final = timedelta(minutes=5)


def check_cpu(settings: Settings) -> list[Finding]:
    """Which instruction sets there are, and the arithmetic that means."""
    flags = _cpu_flags()
    have = [name for flag, name in CPU_FLAGS.items() if flag in flags]
    shown = f"{os.cpu_count()} 个逻辑核；{'、'.join(have) or '未发现已知的加速指令'}"
    if settings.backend not in ("auto", *available_backends()):
        advice = "安装该运行时，或改用 --backend auto"
        return [fail("处理器", f"{shown}；运行时 {settings.backend} 未安装", advice)]
    chosen = available_backends()[0] if settings.backend == "auto" else settings.backend
    fast = bool({"amx_bf16", "avx512_bf16"} & flags)
    if fast and chosen != "openvino":
        found = f"{shown}；本机可算 bf16，但将用 {chosen} 的 fp32"
        return [warn("处理器", found, "安装 openvino 并用 --backend auto，检测会更快")]
    precision = "bf16" if fast and chosen == "openvino" else "fp32"
    found = f"{shown} → {chosen} {precision}"
    if not have:
        return [warn("处理器", found, "可以运行，但较慢；请换用支持 AVX2 的处理器")]
    return [ok("处理器", found)]


def check_memory(settings: Settings) -> list[Finding]:
    """Memory that is free for a service now."""
    for line in _lines(MEMINFO):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            free = int(value.split()[0]) * 1024
            found = f"可用 {free / GIB:.1f} GiB"
            if free < WANTED_MEMORY:
                return [warn("内存", found, "建议至少留出 2 GiB，或减小 XIAOZHENG_MAX_QUEUE_BYTES")]
            return [ok("内存", found)]
    return []


def check_disk(settings: Settings) -> list[Finding]:
    """Whether the state's folder can be written, and how much room is left."""
    folder = _existing(settings.var)
    subject = "数据目录"
    if not folder.is_dir():
        return [fail(subject, f"{folder} 不是目录", "删除或改名该文件，或用 --var 指定别处")]
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        advice = f"把 {folder} 的所有者改为运行服务的用户（chown），或用 --var 指定别处"
        return [fail(subject, f"{folder} 不能写入：{error.strerror}", advice)]
    made = "" if settings.var.is_dir() else "（首次启动时建立）"
    findings = [ok(subject, f"{settings.var} 可写入{made}")]
    room = DiskGuard.of(settings).look()
    found = f"剩余 {room.free_bytes / GIB:.1f} GiB，下限 {room.floor_bytes / GIB:.1f} GiB"
    if room.free_bytes < room.floor_bytes:
        advice = "清理磁盘，运行 xiaozheng gc --apply，或扩容；否则服务拒收画面与来电"
        findings.append(fail("磁盘空间", found, advice))
    elif room.free_bytes < 4 * room.floor_bytes:
        findings.append(warn("磁盘空间", found, "接近下限：运行 xiaozheng gc 看看能清理多少"))
    else:
        findings.append(ok("磁盘空间", found))
    return findings


def check_clock(settings: Settings) -> list[Finding]:
    """Whether the clock is set by anything, and not before what it has already stamped."""
    now = datetime.now(UTC)
    newest = _newest_model(settings)
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if newest is not None and now < newest - SKEW:
        found = f"{shown}，早于模型的建立时间 {newest:%Y-%m-%d}"
        return [
            fail("时钟", found, "校准系统时间（timedatectl set-ntp true）；否则画面会被判为超前")
        ]
    if not _is_synchronised():
        found = f"{shown}，内核未报告与时间源同步"
        return [warn("时钟", found, "启用 chrony 或 systemd-timesyncd；容器内以宿主机为准")]
    return [ok("时钟", f"{shown}，已与时间源同步")]


def check_port(settings: Settings) -> list[Finding]:
    """Whether the port is free, or already ours."""
    subject = "端口"
    host, port = settings.host.strip("[]"), settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            running = _running(settings)
            if running is not None:
                return [running]
            found = f"{settings.host}:{port} 不能监听：{error.strerror}"
            advice = f"用 ss -ltnp 'sport = :{port}' 找出占用者，或用 --port 换一个"
            return [fail(subject, found, advice)]
    return [ok(subject, f"{settings.host}:{port} 空闲")]


def check_font(settings: Settings) -> list[Finding]:
    """Whether evidence can be lettered in Chinese."""
    if find_font(16) is None:
        return [warn("中文字体", "没有找到", "apt-get install fonts-noto-cjk；否则图上只写编号")]
    return [ok("中文字体", "已安装")]


def _running(settings: Settings) -> Finding | None:
    """What a service of ours that has the port says of itself; None when it is somebody else's."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    try:
        answer = httpx.get(f"http://{host}:{settings.port}/readyz", timeout=5, trust_env=False)
        checks = answer.json()["checks"]
        amiss = [name for name, check in checks.items() if not check["ok"]]
    except (httpx.HTTPError, json.JSONDecodeError, KeyError, TypeError):
        return None
    where = f"{settings.host}:{settings.port}"
    if amiss:
        found = f"{where} 上的小郑未就绪：{'、'.join(amiss)}"
        return fail("端口", found, "看 /readyz 的 detail 与服务日志")
    return ok("端口", f"{where} 上的小郑正在运行且就绪")


def _cpu_flags() -> set[str]:
    for line in _lines(CPUINFO):
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return set()


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _existing(path: Path) -> Path:
    """The nearest thing above `path`, or itself, that is there."""
    whole = path.absolute()
    return next(step for step in (whole, *whole.parents) if step.exists())


def _newest_model(settings: Settings) -> datetime | None:
    """When the newest of the configured models was made; those that cannot be read are told of by
    another check."""
    registry = Registry(settings.shelf)
    made = []
    for ref in filter(None, (settings.detector, settings.router, settings.places)):
        try:
            name, _, version = registry.ref_of(ref).partition("@")
            created = read_manifest(registry.root / name / version).created
            moment = datetime.fromisoformat(created)
        except (XiaozhengError, ValueError):
            continue
        made.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return max(made, default=None)


def _is_synchronised() -> bool:
    """What the kernel says, whichever daemon sets the clock (`ntp_adjtime(3)`, reading only)."""
    library = ctypes.CDLL(None)
    return int(library.ntp_adjtime(ctypes.create_string_buffer(TIMEX_BYTES))) != TIME_ERROR
