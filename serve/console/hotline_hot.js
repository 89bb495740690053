// Hot issues of a day: title, size, trend, heat, and the eight days as bars.

import * as api from "./hotline_api.js";
import { el, empty } from "./dom.js";

const BEAT_MS = 20000;
const SVG = "http://www.w3.org/2000/svg";

export function hotPanel() {
  const list = el("div", { class: "hot-list" });
  const day = el("input", { type: "date", "aria-label": "日期", onchange: () => { last = 0; refresh().catch(show); } });
  const note = el("p", { class: "dim" });
  const node = el("section", { class: "panel hot" }, el("div", { class: "row-head" }, el("h2", {}, "热点问题"), day), list, note);
  let last = 0;
  let seen = "";

  const show = (error) => list.replaceChildren(el("p", { class: "error" }, error.message));

  async function refresh() {
    if (Date.now() - last < BEAT_MS) return;
    last = Date.now();
    const found = await api.hotIssues(day.value);
    const key = JSON.stringify(found);
    if (key === seen) return;
    seen = key;
    if (!day.value && document.activeElement !== day) day.value = found.day;
    note.textContent = found.formula;
    const top = Math.max(...found.issues.map((issue) => issue.heat), 0);
    list.replaceChildren(...(found.issues.length
      ? found.issues.map((issue) => item(issue, top))
      : [empty("当日没有两件以上的同一事项")]));
  }

  return { node, refresh };
}

function item(issue, top) {
  const fill = el("span", { class: "fill" });
  fill.style.width = `${top ? (100 * issue.heat) / top : 0}%`;
  return el(
    "a",
    { class: "hot-item", href: `#/hotline/${encodeURIComponent(issue.members.at(-1))}` },
    el("span", { class: "row-head" }, el("strong", {}, issue.title), el("span", { class: `chip ${issue.trend}` }, issue.trend_zh)),
    el("span", { class: "track" }, fill),
    el("span", { class: "row-foot" },
      `当日 ${issue.on_day} 件 · 八天 ${issue.size} 件 · 热度 ${issue.heat.toFixed(1)}${issue.departments.length ? ` · ${issue.departments[0]}` : ""}`,
      spark(issue.daily)),
  );
}

function spark(daily) {
  const top = Math.max(...daily, 1);
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", `0 0 ${daily.length * 7} 16`);
  picture.setAttribute("class", "spark");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `八天各 ${daily.join("、")} 件`);
  daily.forEach((count, at) => {
    const height = count ? Math.max((15 * count) / top, 2) : 1;
    const bar = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: at * 7, y: 16 - height, width: 5, height })) bar.setAttribute(name, value);
    picture.append(bar);
  });
  return picture;
}
