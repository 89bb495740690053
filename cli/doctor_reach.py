"""Checks of what the service talks to: database, keys in it, webhooks, broker."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..config.errors import XiaozhengError
from ..serve.database import connect, shown_url
from ..serve.delivery.config import Delivery, Mqtt, Webhook, load_delivery
from ..serve.migrations import steps
from ..serve.security.key_store import KeyStore
from ..serve.security.secrets import read_secret
from ..serve.settings import Settings
from ..serve.tables import OutboxRow
from .doctor_finding import Finding, fail, ok, warn

REACH_S: Final = 5.0
SKEW: Final = timedelta(minutes=5)


def check_database(settings: Settings) -> list[Finding]:
    """Whether it answers, whole and at this program's revision; and the keys in it."""
    subject = "数据库"
    try:
        url = make_url(settings.database)
        file = url.database if url.get_backend_name() == "sqlite" else None
        if file and file != ":memory:" and not Path(file).exists():
            found = [ok(subject, f"{file} 还不存在，首次启动时建立")]
            return found + _no_keys(settings)
        engine = connect(settings.database)
    except (ArgumentError, XiaozhengError):
        # The URL may hold a password, and SQLAlchemy's complaint repeats it.
        return [fail(subject, "数据库地址不能用", "检查 XIAOZHENG_DB_URL 的格式与驱动")]
    shown = shown_url(engine)
    try:
        return _look(engine, shown, settings)
    except SQLAlchemyError as error:
        advice = "确认服务器已启动、地址与账号正确；SQLite 文件损坏请用 xiaozheng restore 恢复"
        return [fail(subject, f"{shown} 不能使用：{type(error).__name__}", advice)]
    finally:
        engine.dispose()


def check_delivery(settings: Settings) -> list[Finding]:
    """Every receiver: its secret is there, its address is allowed, and something listens."""
    if settings.delivery is None:
        return []
    try:
        told = load_delivery(settings.delivery)
    except XiaozhengError as error:
        return [fail("投递", error.message_zh, "按行号改正 delivery.yaml")]
    findings = [asyncio.run(_try_webhook(told, webhook)) for webhook in told.webhooks]
    if told.mqtt is not None:
        findings.append(asyncio.run(_try_broker(told.mqtt)))
    return findings or [warn("投递", "delivery.yaml 中没有接收方", "写上 webhooks 或 mqtt")]


def _look(engine: Engine, shown: str, settings: Settings) -> list[Finding]:
    subject = "数据库"
    with engine.connect() as connection:
        found, empty = steps.current(connection), steps.is_empty(connection)
        if engine.dialect.name == "sqlite":
            verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if verdict != "ok":
                return [fail(subject, f"{shown} 已损坏", "停止服务，用 xiaozheng restore 恢复备份")]
    if empty:
        return [ok(subject, f"{shown} 是空库，首次启动时建表"), *_no_keys(settings)]
    try:
        steps.check_known(found, shown)
    except XiaozhengError as error:
        return [fail(subject, error.message_zh, "安装写入它的那个版本或更新的版本")]
    if found != steps.head():
        state = f"{shown} 版本 {found or '未标记'}，本程序需要 {steps.head()}"
        if engine.dialect.name == "sqlite":
            return [
                warn(subject, state, "启动时自动升级并在旁留备份；或先运行 xiaozheng db upgrade")
            ]
        return [fail(subject, state, "先备份（pg_dump），再运行 xiaozheng db upgrade")]
    return [ok(subject, f"{shown} 版本 {found}"), *_check_stamps(engine), *_keys(engine, settings)]


def _check_stamps(engine: Engine) -> list[Finding]:
    """Whether the clock stands before what it has stamped already."""
    with engine.connect() as connection:
        newest = connection.execute(select(func.max(OutboxRow.recorded_at))).scalar()
    if newest is None or datetime.now(UTC) >= newest - SKEW:
        return []
    found = f"比库中最新的记录 {newest:%Y-%m-%d %H:%M} UTC 还早"
    return [fail("时钟倒退", found, "校准系统时间后再启动，否则新旧记录的先后会颠倒")]


def _keys(engine: Engine, settings: Settings) -> list[Finding]:
    now = datetime.now(UTC)
    count = sum(key.state(now) == "active" for key in KeyStore(engine).all())
    return [ok("访问密钥", f"{count} 个有效")] if count else _no_keys(settings)


def _no_keys(settings: Settings) -> list[Finding]:
    if settings.keys_required:
        advice = "运行 xiaozheng keys create 名称 --scope 权限；没有密钥服务不会启动"
        return [fail("访问密钥", f"监听 {settings.host} 要求密钥，库中没有可用的", advice)]
    if settings.allow_anonymous:
        return [warn("访问密钥", "允许匿名：谁都可以访问", "仅限封闭的测试网络")]
    return [ok("访问密钥", "只监听本机，不要求密钥")]


async def _try_webhook(told: Delivery, webhook: Webhook) -> Finding:
    subject = f"投递 {webhook.id}"
    parts = urlsplit(webhook.url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = parts.hostname or ""
    try:
        for ref in webhook.secrets:
            read_secret(ref)
        address = await told.targets.resolve(host, port, secure=secure)
    except XiaozhengError as error:
        return fail(subject, error.message_zh, "改正密钥的来源或 allow_networks，见 docs/events.md")
    except OSError:
        return fail(subject, f"{host} 无法解析", "检查域名与 DNS")
    context = ssl.create_default_context() if secure else None
    problem = await _knock(address, port, context, host)
    if problem:
        return fail(subject, f"{host}:{port} {problem}", "事件会留在库中重试；请确认接收方在线")
    return ok(subject, f"{host}:{port} 可达；试投：xiaozheng webhooks test {webhook.id}")


async def _try_broker(broker: Mqtt) -> Finding:
    subject = "投递 mqtt"
    try:
        if broker.password is not None:
            read_secret(broker.password)
        context = ssl.create_default_context(cafile=broker.ca_file) if broker.tls else None
    except XiaozhengError as error:
        return fail(subject, error.message_zh, "改正 password 的来源，见 docs/events.md")
    except OSError:
        return fail(subject, "ca_file 不能读取", "给出可读的 PEM 证书文件")
    problem = await _knock(broker.host, broker.port, context, broker.host)
    if problem:
        advice = "事件会留在库中重试；请确认消息服务器在线、端口与 TLS 设置一致"
        return fail(subject, f"{broker.host}:{broker.port} {problem}", advice)
    return ok(subject, f"{broker.host}:{broker.port} 可达")


async def _knock(host: str, port: int, context: ssl.SSLContext | None, name: str) -> str:
    """Open a connection and close it; why that failed, or nothing."""
    try:
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(
                host, port, ssl=context, server_hostname=name if context else None
            )
    except TimeoutError:
        return f"{REACH_S:.0f} 秒内没有应答"
    except ssl.SSLError as error:
        return f"TLS 握手失败：{error.reason}"
    except OSError as error:
        return f"连接失败：{error.strerror or error}"
    writer.close()
    return ""
