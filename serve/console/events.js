// Incidents: a list with filters, and one incident with its evidence.

import * as api from "./api.js";
import { el, empty, select } from "./dom.js";
import { duration, moment, percent } from "./format.js";

const PAGE = 50;
const MOMENTS = [["before", "发生前"], ["at", "立案时"], ["after", "结束后"]];
const STATES = [["", "全部状态"], ["open", "进行中"], ["ended", "已结束"]];

export function eventsView() {
  const list = el("div", { class: "list", role: "list" });
  const detail = el("section", { class: "detail", "aria-live": "polite" });
  const filterBar = el("div", { class: "filters" });
  const more = el("button", { class: "quiet", hidden: true, onclick: () => grow() }, "显示更早的事件");
  const node = el(
    "div",
    { class: "split" },
    el("section", { class: "side" }, filterBar, list, more),
    detail,
  );
  const filters = { kind: "", state: "", camera_id: "", limit: PAGE };
  const seen = { list: "", detail: "" };
  let zones = new Map();
  let selected = null;

  async function loadFilters() {
    const known = await api.cameras();
    zones = new Map(known.cameras.map((camera) => [camera.id, camera.timezone]));
    const kinds = [["", "全部类型"], ...known.kinds.map((kind) => [kind.id, kind.zh])];
    const cameras = [["", "全部摄像机"], ...known.cameras.map((camera) => [camera.id, camera.name])];
    const set = (name) => (value) => { filters[name] = value; filters.limit = PAGE; refresh(); };
    filterBar.replaceChildren(
      select("类型", kinds, filters.kind, set("kind")),
      select("状态", STATES, filters.state, set("state")),
      select("摄像机", cameras, filters.camera_id, set("camera_id")),
    );
  }

  function grow() {
    filters.limit = Math.min(500, filters.limit + PAGE);
    refresh();
  }

  async function refresh() {
    if (!filterBar.childElementCount) await loadFilters();
    const page = await api.incidents(filters);
    const key = JSON.stringify([page, selected]);
    if (key !== seen.list) {
      seen.list = key;
      more.hidden = !page.next_cursor || filters.limit >= 500;
      const rows = page.items.map((incident) => row(incident));
      list.replaceChildren(...(rows.length ? rows : [empty("暂无事件", "摄像机画面中出现的事件会显示在这里")]));
    }
    await refreshDetail();
  }

  function row(incident) {
    const zone = zones.get(incident.camera_id);
    return el(
      "a",
      {
        class: "row", role: "listitem", href: `#/events/${encodeURIComponent(incident.id)}`,
        "aria-current": incident.id === selected ? "true" : null,
      },
      el("span", { class: "row-head" }, el("strong", {}, incident.kind_zh), chip(incident)),
      el("span", { class: "dim" }, `${incident.camera_name} · ${incident.zone_name}`),
      el("span", { class: "row-foot" }, moment(incident.onset_at, zone),
        el("span", {}, `持续 ${duration(incident.dwell_s)}`)),
    );
  }

  async function refreshDetail() {
    node.classList.toggle("has-detail", selected !== null);
    if (selected === null) {
      if (seen.detail !== "none") detail.replaceChildren(empty("请选择一个事件", "查看证据图片与经过"));
      seen.detail = "none";
      return;
    }
    let incident;
    try {
      incident = await api.incident(selected);
    } catch (error) {
      detail.replaceChildren(backLink(), empty(error.message));
      seen.detail = "";
      throw error;
    }
    const key = JSON.stringify(incident);
    if (key === seen.detail) return;
    seen.detail = key;
    detail.replaceChildren(backLink(), ...card(incident, zones.get(incident.camera_id)));
  }

  function show(id) {
    if (id === selected && seen.detail) return;
    selected = id;
    seen.list = "";
    if (filterBar.childElementCount) refresh().catch(() => {});
  }

  return { node, show, refresh };
}

function chip(incident) {
  return el("span", { class: `chip ${incident.state}` }, incident.state_zh);
}

function backLink() {
  return el("a", { class: "back", href: "#/events" }, "← 返回列表");
}

function card(incident, zone) {
  const facts = [
    ["摄像机", incident.camera_name],
    ["区域", incident.zone_name],
    ["开始", moment(incident.onset_at, zone)],
    ["立案", moment(incident.opened_at, zone)],
    ["结束", moment(incident.ended_at, zone)],
    ["持续", duration(incident.dwell_s)],
    ["置信度", percent(incident.score)],
    ["模型", incident.model],
    ["规则", incident.rule],
    ["编号", incident.id],
  ];
  const pictures = new Map(incident.evidence.map((picture) => [picture.moment, picture]));
  return [
    el("h1", {}, incident.kind_zh, incident.code ? el("span", { class: "code" }, incident.code) : null, chip(incident)),
    el("div", { class: "pictures" }, MOMENTS.map(([name, text]) => figure(pictures.get(name), text, zone)),
      film(pictures.get("clip"), zone)),
    incident.reasons.length
      ? el("div", { class: "reasons" }, el("h2", {}, "判定依据"), el("ul", {}, incident.reasons.map((reason) => el("li", {}, reason))))
      : null,
    el("dl", { class: "facts" }, facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    incident.links?.length
      ? el("div", {}, el("h2", {}, "同一事件"), el("ul", {}, incident.links.map((link) =>
        el("li", {}, el("a", { href: `#/events/${encodeURIComponent(link.incident_id)}` }, `${link.incident_id}（${link.camera_id}）`),
          el("span", { class: "dim" }, ` ${link.reasons.join("、")}`)))))
      : null,
    el("h2", {}, "经过"),
    el("ol", { class: "journal" }, (incident.journal ?? []).map((step) =>
      el("li", {}, el("span", { class: `chip ${step.state}` }, step.state_zh), moment(step.media_at, zone)))),
  ].filter(Boolean);
}

function film(clip, zone) {
  if (!clip) return null;
  const source = `${clip.url}?v=${clip.sha256.slice(0, 12)}`;
  return el(
    "figure",
    {},
    el("video", { src: source, controls: true, muted: true, preload: "metadata", "aria-label": "立案前后的录像" }),
    caption(clip, "立案前后录像，自", zone),
  );
}

function caption(picture, text, zone) {
  return el("figcaption", {}, text, el("span", { class: "dim" }, moment(picture.ts, zone)),
    el("span", { class: "hash", title: `SHA-256 ${picture.sha256}` }, `${picture.blurred ? "已模糊 · " : ""}SHA-256 ${picture.sha256.slice(0, 12)}…`));
}

function figure(picture, text, zone) {
  if (!picture) {
    return el("figure", {}, el("div", { class: "no-picture" }, "尚无图片"), el("figcaption", {}, text));
  }
  const source = `${picture.url}?v=${picture.sha256.slice(0, 12)}`;
  return el(
    "figure",
    {},
    el("a", { href: source, target: "_blank", rel: "noopener" }, el("img", { src: source, alt: `${text}的画面` })),
    caption(picture, text, zone),
  );
}
