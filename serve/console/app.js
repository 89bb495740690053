// Entry: which view is shown, what is known of the service, and the beat of refreshing.

import * as api from "./api.js";
import { el } from "./dom.js";
import { camerasView } from "./cameras.js";
import { eventsView } from "./events.js";
import { hotlineView } from "./hotline.js";

const BEAT_MS = 2000;
const VIEWS = { events: eventsView, hotline: hotlineView, cameras: camerasView };
const CHECK_NAMES = { database: "数据库", detector: "检测", router: "分派" };

const holder = document.getElementById("view");
const health = document.getElementById("health");
let current = null;

function route() {
  const [name, id] = location.hash.replace(/^#\//, "").split("/");
  const tab = name in VIEWS ? name : "events";
  for (const link of document.querySelectorAll("[data-tab]")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (current?.tab !== tab) {
    const view = VIEWS[tab]();
    holder.replaceChildren(view.node);
    current = { tab, view };
  }
  current.view.show?.(id ? decodeURIComponent(id) : null);
}

function showHealth(state, text, details = []) {
  const key = JSON.stringify([state, text, details]);
  if (health.dataset.key === key) return;
  health.dataset.key = key;
  health.className = `health ${state}`;
  health.replaceChildren(
    el("span", { class: "dot" }),
    el("span", {}, text),
    ...details.map((detail) => el("span", { class: "model" }, detail)),
  );
}

async function beat() {
  if (document.visibilityState === "visible") {
    try {
      const ready = await api.readiness();
      const failing = Object.entries(ready.checks).filter(([, check]) => !check.ok);
      const text = ready.ready ? "运行正常" : `未就绪：${failing.map(([n]) => CHECK_NAMES[n] ?? n).join("、")}`;
      const models = ["detector", "router"].flatMap((name) => {
        const check = ready.checks[name];
        const refused = check?.refused && `已拒绝 ${check.refused.model}：${check.refused.reason_zh}`;
        return [check?.detail, refused].filter(Boolean);
      });
      showHealth(ready.ready ? "good" : "bad", text, models);
      await current?.view.refresh?.();
    } catch (error) {
      showHealth("bad", `${error instanceof api.ApiError ? error.message : "页面错误"}，正在重试`);
      if (!(error instanceof api.ApiError)) console.error(error);
    }
  }
  setTimeout(beat, BEAT_MS);
}

addEventListener("hashchange", route);
route();
beat();
