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
        ? known.cameras.map((camera) => card(camera, kinds, refresh))
        : [empty("尚未登记摄像机", "用 --cameras 指定 cameras.yaml 后重新启动服务")]),
    );
  }

  return { node, refresh };
}

function card(camera, kinds, refresh) {
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
    relearn(camera, refresh),
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

// A camera that was turned on purpose: its present view becomes the one that is compared with.
function relearn(camera, refresh) {
  const moved = camera.health?.faults.some((fault) => fault.kind === "camera_moved");
  if (!camera.health) return null;
  const said = el("span", { class: "dim", role: "status" });
  async function ask() {
    const by = prompt(`确认 ${camera.name} 是有意调整了方向？\n以当前画面为新的基准，区域须重新核对。\n请填写操作人：`);
    if (!by?.trim()) return;
    try {
      await api.learnView(camera.id, by.trim());
      said.textContent = "已以当前画面为基准";
      await refresh();
    } catch (error) {
      said.textContent = error.message;
    }
  }
  return el("div", { class: "row-foot" },
    el("button", { class: moved ? "" : "quiet", onclick: ask }, "以当前画面为基准"), said);
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
