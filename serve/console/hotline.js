// Hotline: paste a call, see where it should go and why.

import * as api from "./api.js";
import { el } from "./dom.js";
import { percent } from "./format.js";

const SAMPLE =
  "喂你好，我要反映个事儿，我们小区门口那个垃圾桶啊都满出来好几天了，味道大得不行，" +
  "就在建设路和工人路交叉口往南一点，麻烦你们派人来清一下，我电话是一三八零零一三八零零零。";
const DECISIONS = {
  auto: ["自动派单", "概率达到该部门的自动派单线"],
  suggest: ["建议派单", "请话务员确认后派出"],
  human: ["转人工", "把握不足，请人工判断"],
};

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
      output.replaceChildren(...card(await api.suggest(text.value, "")));
    } catch (error) {
      output.replaceChildren(el("p", { class: "error" }, error.message));
    } finally {
      button.disabled = false;
    }
  }

  return { node };
}

function card(suggestion) {
  const [decision, hint] = DECISIONS[suggestion.decision] ?? [suggestion.decision, ""];
  return [
    el("h2", {}, el("span", { class: `chip ${suggestion.decision}` }, decision), el("span", { class: "dim" }, hint)),
    el("ol", { class: "ranking" }, suggestion.departments.slice(0, 3).map(bar)),
    el("h3", {}, "脱敏文本与依据词"),
    el("p", { class: "masked" }, ...highlighted(suggestion.masked_text, suggestion.evidence ?? [])),
    el("p", { class: "dim" }, `模型 ${suggestion.model}`),
  ];
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

// Evidence words marked where they stand; overlapping ones become one mark.
function highlighted(text, evidence) {
  const spans = [];
  for (const { text: word } of evidence) {
    if (!word) continue;
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      spans.push([at, at + word.length]);
    }
  }
  spans.sort((a, b) => a[0] - b[0]);
  const nodes = [];
  let done = 0;
  for (const [start, end] of spans) {
    if (end <= done) continue;
    const from = Math.max(start, done);
    nodes.push(text.slice(done, from), el("mark", {}, text.slice(from, end)));
    done = end;
  }
  nodes.push(text.slice(done));
  return nodes;
}
