// Cameras: zones drawn as they lie in the picture, last frame, open incidents.

import * as api from "./api.js";
import { el, empty } from "./dom.js";
import { moment } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

export function camerasView() {
  const node = el("div", { class: "cameras" });
  let seen = "";

  async function refresh() {
    const known = await api.cameras();
    const key = JSON.stringify(known);
    if (key === seen) return;
    seen = key;
    const kinds = new Map(known.kinds.map((kind) => [kind.id, kind.zh]));
    node.replaceChildren(
      ...(known.cameras.length
        ? known.cameras.map((camera) => card(camera, kinds))
        : [empty("尚未登记摄像机", "用 --cameras 指定 cameras.yaml 后重新启动服务")]),
    );
  }

  return { node, refresh };
}

function card(camera, kinds) {
  const open = camera.open_incidents;
  return el(
    "article",
    { class: "camera" },
    sketch(camera.zones),
    el("span", { class: "row-head" }, el("strong", {}, camera.name), health(camera.health)),
    el("span", { class: "dim" }, camera.id),
    el("ul", { class: "zones" }, camera.zones.map((zone) =>
      el("li", {}, zone.name, el("span", { class: "dim" }, zone.forbids.map((kind) => kinds.get(kind) ?? kind).join("、"))))),
    el("span", { class: "row-foot" }, `最近画面 ${moment(camera.last_frame_at, camera.timezone)}`,
      el("span", { class: open ? "chip open" : "chip ended" }, open ? `${open} 起进行中` : "无事件")),
    trouble(camera),
  );
}

function health(known) {
  if (!known) return null;
  return el("span", { class: known.faults.length ? "chip human" : "chip auto" }, known.state_zh);
}

function trouble({ health: known, timezone }) {
  if (!known?.faults.length) return null;
  const since = `${known.reason_zh}，自 ${moment(known.since, timezone)}`;
  return el("p", { class: "trouble" }, since, known.zones_suspended ? "；区域判定已暂停" : "");
}

function sketch(zones) {
  const frame = document.createElementNS(SVG, "svg");
  frame.setAttribute("viewBox", "0 0 160 90");
  frame.setAttribute("class", "sketch");
  frame.setAttribute("aria-hidden", "true");
  for (const zone of zones) {
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", zone.polygon.map(([x, y]) => `${160 * x},${90 * y}`).join(" "));
    frame.append(shape);
  }
  return frame;
}
