"""`POST /v1/transcripts/{id}/feedback`: what staff did with a suggestion; the rules in force."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from ...nlp.mask import mask_personal_data
from ..errors import UnprocessableError
from ..hotline_changes import FeedbackChange
from ..hotline_schemas import (
    CallOut,
    DepartmentEntry,
    DepartmentsAnswer,
    FeedbackIn,
    RuleOut,
    RulesAnswer,
)
from ..hotline_views import department_name
from ..services import Use
from .calls import need_call, whole_call
from .common import answer, problems

router = APIRouter(tags=["transcripts"])


@router.post(
    "/v1/transcripts/{transcript_id}/feedback",
    summary="Journal what was done with a suggestion: accepted, overridden, returned",
    operation_id="giveFeedback",
    response_model=CallOut,
    responses=problems(404, 422, 503),
)
async def give_feedback(services: Use, transcript_id: str, said: FeedbackIn) -> Response:
    hotline = services.need_hotline()
    call = await need_call(hotline, transcript_id)
    wanted = said.department or ""
    if wanted and wanted not in hotline.departments.by_code:
        raise UnprocessableError(
            f"department: {wanted[:64]!r} is not in departments.yaml",
            message_zh=f"department：departments.yaml 中没有 {wanted[:64]}",
            code="unknown_department",
        )
    if said.action == "accept" and wanted not in ("", call.assigned):
        raise UnprocessableError(
            f"department: an acceptance leaves the call with {call.assigned!r}; say `override`",
            message_zh="department：采纳即维持当前部门，改派请用 override",
            code="not_an_acceptance",
        )
    await services.write(
        FeedbackChange(
            transcript_id=transcript_id,
            at=services.now(),
            by=said.by,
            role=said.role,
            action=said.action,
            department_to=wanted or call.assigned,
            # Staff write as people do: a number in a reason is masked like one in a call.
            reason=mask_personal_data(said.reason.strip()).text,
        )
    )
    await hotline.judged(transcript_id)
    services.metrics.feedback.labels(said.action, call.assigned).inc()
    return answer(await whole_call(hotline, transcript_id))


@router.get(
    "/v1/rules",
    summary="Legal rules in force, and how many stored calls each spoke for",
    operation_id="listRules",
    response_model=RulesAnswer,
    responses=problems(503),
)
async def list_rules(services: Use) -> Response:
    hotline = services.need_hotline()
    counts = await asyncio.to_thread(hotline.store.rule_counts)
    return answer(
        RulesAnswer(
            rules=[
                RuleOut(
                    id=rule.id,
                    title=rule.title,
                    law=rule.law,
                    department=rule.then.department,
                    department_name=department_name(hotline.departments, rule.then.department),
                    priority=rule.priority,
                    valid_from=rule.valid_from,
                    valid_until=rule.valid_until,
                    calls=counts.get(rule.id, 0),
                )
                for rule in hotline.rules.rules
            ]
        )
    )


@router.get(
    "/v1/departments",
    summary="Departments a call can be given to",
    operation_id="listDepartments",
    response_model=DepartmentsAnswer,
    responses=problems(503),
)
async def list_departments(services: Use) -> Response:
    hotline = services.need_hotline()
    return answer(
        DepartmentsAnswer(
            departments=[
                DepartmentEntry(code=known.code, name=known.name)
                for known in hotline.departments.departments
            ]
        )
    )
