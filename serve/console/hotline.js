// Hotline: paste a call, see where it should go and why.

import * as api from "./api.js";
import { el } from "./dom.js";
import { percent } from "./format.js";

const SAMPLE =
  "喂你好，我要反映个事儿，我们小区门口那个垃圾桶啊都满出来好几天了，味道大得不行，" +
  "就在建设路和工人路交叉口往南一点，麻烦你们派人来清一下，我电话是一三八零零一三八零零零。";
const DECISIONS = { auto: "自动派单", suggest: "建议派单", human: "转人工" };

export function hotlineView() {
  const text = el("textarea", { id: "call", rows: 9, maxlength: 20000, placeholder: "粘贴来电文本…" });
  const button = el("button", { class: "primary", type: "submit" }, "分派");
  const output = el("section", { class: "answer", "aria-live": "polite" });
  const form = el(
    "form",
    { class: "call", onsubmit: (event) => { event.preventDefault(); run(); } },
    el("label", { for: "call" }, "来电文本"),
    text,
    el("div", { class: "actions" }, button,
      el("button", { class: "quiet", type: "button", onclick: () => { text.value = SAMPLE; text.focus(); } }, "填入示例")),
    el("p", { class: "dim" }, "电话、证件号、车牌等个人信息在存储前遮盖，原文不保存。"),
  );
  const node = el("div", { class: "hotline" }, form, output);

  async function run() {
    button.disabled = true;
    try {
      output.replaceChildren(...card(await api.suggest(text.value)));
    } catch (error) {
      output.replaceChildren(el("p", { class: "error" }, error.message));
    } finally {
      button.disabled = false;
    }
  }

  return { node };
}

function card(suggestion) {
  const { verdict, reason } = suggestion.decision;
  const masked = suggestion.personal_data.length;
  return [
    el("h2", {}, el("span", { class: `chip ${verdict}` }, DECISIONS[verdict] ?? verdict), el("span", { class: "dim" }, reason)),
    el("ol", { class: "ranking" }, suggestion.departments.slice(0, 3).map(bar)),
    suggestion.duty ? el("p", { class: "duty" }, `对应职责：${suggestion.duty}`) : null,
    el("h3", {}, "脱敏文本与依据词"),
    el("p", { class: "masked" }, ...highlighted(suggestion.masked_text, suggestion.evidence)),
    el("p", { class: "dim" }, masked ? "已遮盖个人信息" : "未发现个人信息", ` · 模型 ${suggestion.model}`),
  ].filter(Boolean);
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
