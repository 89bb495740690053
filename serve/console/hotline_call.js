// One call: decision, rule, ranking, masked text, same matter, feedback and journal.

import * as api from "./hotline_api.js";
import { el, select } from "./dom.js";
import { moment, percent } from "./format.js";

const DECISIONS = { auto: "自动派单", suggest: "建议派单", human: "转人工" };
const STATES = { proposed: "待定", accepted: "已并案", rejected: "已否定" };
const OPERATOR = "xiaozheng.operator";
// Below, a past call says nothing to whoever reads this one.
const LIKE = 0.5;
const SAID = { negated: "说没有", past: "说的是过去", hypothetical: "说的是担心" };
let departments = null;

export const urgencyChip = (call) =>
  call.urgency === "normal" ? null : el("span", { class: `chip ${call.urgency}` }, call.urgency_zh);

export async function callCard(call, changed) {
  departments ??= (await api.departments()).departments;
  const suggestion = call.suggestion;
  const said = el("p", { class: "error", role: "alert" });
  const act = async (work) => {
    said.textContent = "";
    try {
      await work();
      document.activeElement?.blur();
      await changed();
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return [
    urgent(call),
    el("h2", {}, el("span", { class: `chip ${call.decision}` }, DECISIONS[call.decision] ?? call.decision),
      el("strong", {}, call.assigned_name), suggestion ? el("span", { class: "dim" }, suggestion.decision.reason) : null),
    rule(call.override),
    suggestion ? el("ol", { class: "ranking" }, suggestion.departments.slice(0, 3).map(bar)) : null,
    suggestion ? signals(suggestion) : null,
    el("h3", {}, "脱敏文本与依据词"),
    el("p", { class: "masked" }, ...(suggestion ? highlighted(call.text, suggestion.evidence) : [call.text])),
    el("p", { class: "dim" }, [suggestion?.personal_data.length ? "已遮盖个人信息" : "未发现个人信息", place(call.place), `模型 ${call.model}`].filter(Boolean).join(" · ")),
    matters(call, act),
    similar(call),
    feedback(call, act),
    said,
    journal(call),
  ].filter(Boolean);
}

function urgent(call) {
  if (call.urgency === "normal") return null;
  return el("p", { class: `alarm ${call.urgency}`, role: "note" }, urgencyChip(call), el("strong", {}, call.urgent_reasons.join("；")));
}

// Urgent words that were said, but of something denied, past or feared.
function notNow(urgency) {
  const rest = (urgency?.reasons ?? []).filter((why) => why.state !== "now");
  return [...new Set(rest.map((why) => `${why.zh}“${why.words}”（${SAID[why.state]}）`))].join("；");
}

function signals(suggestion) {
  const facts = [
    ["协办", suggestion.assisting ? `${suggestion.assisting.name} ${percent(suggestion.assisting.probability)}` : ""],
    ["来意", suggestion.intent ? el("span", {}, suggestion.intent.zh,
      suggestion.intent.words.length ? el("span", { class: "dim" }, `（${suggestion.intent.words.map((word) => `“${word}”`).join("、")}）`) : "") : ""],
    ["类别", suggestion.categories.map((category) => `${category.name} ${percent(category.probability)}`).join(" · ")],
    ["职责", suggestion.duty],
    ["不计急情", notNow(suggestion.urgency)],
    ["说明", suggestion.notes.join("；")],
  ].filter(([, value]) => value);
  return el("dl", { class: "signals" }, facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function similar(call) {
  const near = call.similar.filter((past) => past.similarity >= LIKE);
  if (!near.length) return null;
  return el("div", { class: "similar" }, el("h3", {}, "相似的过往来电"),
    el("ul", {}, near.map((past) => el("li", {},
      el("a", { href: `#/hotline/${encodeURIComponent(past.id)}` }, past.text || past.id),
      el("span", { class: "row-foot" },
        el("span", {}, past.department_name, " ",
          el("span", { class: `chip ${past.confirmed ? "auto" : ""}` }, past.confirmed ? "人工确认" : "仅为建议")),
        el("span", {}, `相似度 ${past.similarity.toFixed(2)}`))))));
}

function rule(override) {
  if (!override) return null;
  const change = override.changed ? `模型首选 ${override.replaced_name} → 改派 ${override.department_name}` : `与模型一致：${override.department_name}`;
  return el("div", { class: "rule" },
    el("p", {}, el("strong", {}, `规则：${override.title}`), el("span", { class: "dim" }, ` ${override.rule}`)),
    el("p", {}, change),
    el("p", { class: "dim" }, `依据：${override.law}；${override.matched.join("，")}`,
      override.also_fitting.length ? `；另有符合的规则：${override.also_fitting.join("、")}` : ""));
}

function place(found) {
  const parts = [found.district, ...found.names].filter(Boolean);
  return parts.length ? `地点 ${[...new Set(parts)].join("、")}` : "";
}

function bar(department) {
  const fill = el("span", { class: "fill" });
  fill.style.width = `${100 * department.probability}%`;
  return el(
    "li",
    {},
    el("span", { class: "bar-head" }, el("strong", {}, department.name), el("span", {}, percent(department.probability))),
    el("span", { class: "track" }, fill),
  );
}

function matters(call, act) {
  if (!call.proposals.length) return el("p", { class: "dim matters" }, "同一事项：没有相近的未办结来电");
  return el("div", { class: "matters" }, el("h3", {}, "可能是同一事项"),
    el("ul", {}, call.proposals.map((pair) => el("li", {},
      el("span", { class: "row-head" },
        el("a", { href: `#/hotline/${encodeURIComponent(pair.other_id)}` }, pair.other_text || pair.other_id),
        el("span", { class: `chip ${pair.state === "accepted" ? "auto" : pair.state === "proposed" ? "suggest" : ""}` },
          `${STATES[pair.state]} ${percent(pair.score)}`)),
      el("span", { class: "dim" }, pair.reasons.join("；")),
      pair.state === "proposed"
        ? el("span", { class: "actions" },
          el("button", { onclick: () => act(() => decide(pair.id, true)) }, "是同一事项"),
          el("button", { class: "quiet", onclick: () => act(() => decide(pair.id, false)) }, "不是"))
        : el("span", { class: "row-foot" }, `${pair.decided_by} ${moment(pair.decided_at)} ${pair.decision_reason ?? ""}`,
          el("button", { class: "quiet small", onclick: () => act(() => decide(pair.id, pair.state !== "accepted")) },
            pair.state === "accepted" ? "改为不是" : "改为同一事项"))))));
}

const decide = (id, accept) => api.judge(id, { accept, by: operator() });

function operator() {
  const name = (document.getElementById("operator")?.value ?? localStorage.getItem(OPERATOR) ?? "").trim();
  if (!name) {
    document.getElementById("operator")?.focus();
    throw new Error("请先填写操作人");
  }
  localStorage.setItem(OPERATOR, name);
  return name;
}

function feedback(call, act) {
  const by = el("input", { id: "operator", maxlength: 60, placeholder: "操作人", "aria-label": "操作人", value: localStorage.getItem(OPERATOR) ?? "" });
  const reason = el("input", { maxlength: 300, placeholder: "理由（退回必填）", "aria-label": "理由" });
  let chosen = "";
  const others = departments.filter((known) => known.code !== call.assigned).map((known) => [known.code, known.name]);
  const list = select("改派部门", [["", "改派到…"], ...others], "", (value) => { chosen = value; });
  const say = (action, department) => act(() => {
    if (action === "override" && !department) throw new Error("请选择改派的部门");
    return api.feedback(call.id, { action, by: operator(), reason: reason.value, ...(department ? { department } : {}) });
  });
  return el("div", { class: "feedback" }, el("h3", {}, "处理"),
    el("div", { class: "fields" }, by, reason),
    el("div", { class: "actions" },
      el("button", { class: "primary", onclick: () => say("accept") }, `采纳：${call.assigned_name}`), list,
      el("button", { onclick: () => say("override", chosen) }, "改派"),
      el("button", { class: "quiet", onclick: () => say("return", chosen) }, "退回"),
      el("button", { class: "quiet", onclick: () => act(() => api.setState(call.id, call.state === "open" ? "closed" : "open")) },
        call.state === "open" ? "办结" : "重新打开")));
}

function journal(call) {
  if (!call.journal.length) return null;
  const names = new Map(departments.map((known) => [known.code, known.name]));
  const name = (code) => names.get(code) ?? code;
  return el("div", {}, el("h3", {}, "处理记录"),
    el("ol", { class: "journal" }, call.journal.map((step) => el("li", {},
      el("span", { class: "chip" }, step.action_zh),
      el("span", {}, `${moment(step.at)} ${step.by}：${step.department_from === step.department_to ? name(step.department_to) : `${name(step.department_from)} → ${name(step.department_to)}`}`,
        step.reason ? el("span", { class: "dim" }, `（${step.reason}）`) : "")))));
}

// Evidence words marked where they stand. Their places count characters, as Python does, while
// JavaScript's strings count UTF-16 units.
function highlighted(text, evidence) {
  const characters = Array.from(text);
  const cut = (from, to) => characters.slice(from, to).join("");
  const words = [...evidence].sort((a, b) => a.start - b.start);
  const nodes = [];
  let done = 0;
  for (const { start, end } of words) {
    if (end <= done) continue;
    const from = Math.max(start, done);
    nodes.push(cut(done, from), el("mark", {}, cut(from, end)));
    done = end;
  }
  nodes.push(cut(done));
  return nodes;
}
