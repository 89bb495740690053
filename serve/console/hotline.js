// Hotline: route a call, see why and what it may belong to, say what was done; calls and hot issues.

import * as api from "./hotline_api.js";
import { callCard, urgencyChip } from "./hotline_call.js";
import { hotPanel } from "./hotline_hot.js";
import { el, empty } from "./dom.js";
import { moment } from "./format.js";

const SAMPLE =
  "喂你好，我要反映个事儿，我们小区门口那个垃圾桶啊都满出来好几天了，味道大得不行，" +
  "就在建设路和工人路交叉口往南一点，麻烦你们派人来清一下，我电话是一三八零零一三八零零零。";
const DECISIONS = { auto: "自动派单", suggest: "建议派单", human: "转人工" };
const RECENT = 12;
const URGENT = 6;
const link = (id) => `#/hotline/${encodeURIComponent(id)}`;

export function hotlineView() {
  const text = el("textarea", { id: "call", rows: 7, maxlength: 20000, placeholder: "粘贴来电文本…" });
  const button = el("button", { class: "primary", type: "submit" }, "分派");
  const said = el("p", { class: "error", role: "alert" });
  const form = el(
    "form",
    { class: "call", onsubmit: (event) => { event.preventDefault(); run(); } },
    el("label", { for: "call" }, "来电文本"),
    text,
    el("div", { class: "actions" }, button,
      el("button", { class: "quiet", type: "button", onclick: () => { text.value = SAMPLE; text.focus(); } }, "填入示例")),
    said,
    el("p", { class: "dim" }, "电话、证件号、车牌等个人信息在存储前遮盖；原文默认不保存。"),
  );
  const output = el("section", { class: "answer", "aria-live": "polite" });
  const recent = el("div", { class: "recent" });
  const hot = hotPanel();
  const node = el(
    "div",
    { class: "hotline" },
    el("div", { class: "desk" }, form, el("section", { class: "panel" }, el("h2", {}, "最近来电"), recent)),
    el("div", { class: "desk" }, output, hot.node),
  );
  const seen = { recent: "", call: "" };
  let selected = null;

  async function run() {
    button.disabled = true;
    said.textContent = "";
    try {
      location.hash = link(await api.route(text.value));
      await refresh();
    } catch (error) {
      said.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }

  async function refreshCall() {
    if (selected === null) {
      if (seen.call !== "none") output.replaceChildren(empty("请分派一条来电，或从最近来电中选择", "查看建议、依据、同一事项与处理记录"));
      seen.call = "none";
      return;
    }
    // Whoever is writing into the card must not lose it to a refresh.
    if (output.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
    const found = await api.call(selected);
    const key = JSON.stringify(found);
    if (key === seen.call) return;
    seen.call = key;
    output.replaceChildren(...(await callCard(found, () => { seen.call = ""; return refresh(); })));
  }

  async function refresh() {
    const [urgent, page] = await Promise.all([
      api.calls({ limit: URGENT, state: "open", urgency: "urgent" }), api.calls({ limit: RECENT })]);
    const key = JSON.stringify([urgent.items, page.items, selected]);
    if (key !== seen.recent) {
      seen.recent = key;
      const rows = firstUrgent(urgent.items, page.items).map((item) => row(item, item.id === selected));
      recent.replaceChildren(...(rows.length ? rows : [empty("暂无来电")]));
    }
    await refreshCall();
    await hot.refresh();
  }

  function show(id) {
    if (id !== selected) seen.call = "";
    selected = id;
    for (const line of recent.querySelectorAll(".row")) {
      const current = id !== null && line.getAttribute("href") === link(id);
      if (current) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
    }
    refreshCall().catch((error) => output.replaceChildren(el("p", { class: "error" }, error.message)));
  }

  return { node, show, refresh };
}

// Open urgent calls before all others, the critical ones first; each group newest first.
function firstUrgent(urgent, others) {
  const first = [...urgent].sort((a, b) => (b.urgency === "critical") - (a.urgency === "critical"));
  const shown = new Set(first.map((call) => call.id));
  return [...first, ...others.filter((call) => !shown.has(call.id))];
}

function row(call, current) {
  return el(
    "a",
    { class: `row ${call.urgency}`, href: link(call.id), "aria-current": current ? "true" : null },
    el("span", { class: "row-head" }, urgencyChip(call), el("span", { class: "line" }, call.line || "（没有文字）"),
      el("span", { class: `chip ${call.decision}` }, DECISIONS[call.decision] ?? call.decision)),
    call.urgent_reasons.length ? el("span", { class: "why" }, call.urgent_reasons.join("；")) : null,
    el("span", { class: "row-foot" }, `${moment(call.at)} · ${call.assigned_name}`,
      el("span", {}, [call.override ? "规则" : "", call.matter_id ? "已并案" : "", call.state === "closed" ? "已办结" : ""].filter(Boolean).join(" · "))),
  );
}
