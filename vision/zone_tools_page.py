"""One HTML file in which zones are drawn by clicking: the picture inside, nothing from outside."""

from __future__ import annotations

import base64
import html
import json

from .cameras import Camera
from .drawing import encode_jpeg
from .images import Image
from .kinds import Kinds

PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>画区域 · {title}</title><style>
body{{margin:0;font:15px/1.5 system-ui,"Microsoft YaHei",sans-serif;
background:#f4f5f7;color:#1c2430}}
main{{display:grid;grid-template-columns:minmax(0,1fr) 24rem;gap:1rem;padding:1rem}}
canvas{{width:100%;cursor:crosshair;border-radius:6px;background:#000}}
aside label{{display:block;margin:.4rem 0 0}} input,select,textarea{{width:100%;
box-sizing:border-box;font:inherit;padding:.3rem}} textarea{{
height:20rem;font:13px/1.45 ui-monospace,monospace}}
button{{font:inherit;padding:.35rem .8rem;margin:.5rem .4rem 0 0}} p{{margin:.3rem 0;color:#556}}
</style></head><body><main><section><canvas id="view"></canvas>
<p id="hint">单击添加顶点，至少三个；单击第一个顶点或按“完成”封闭。区域画在地面上。</p></section>
<aside><label>区域编号<input id="id" value="zone-1"></label>
<label>名称<input id="name" placeholder="例如 路侧禁停区"></label>
<label>类型<select id="kind">{kinds}<option value="">店面线（店外经营用）</option></select></label>
<label>停留（秒，空为默认）<input id="dwell" inputmode="decimal"></label>
<button id="close">完成</button><button id="undo">撤销一点</button>
<button id="drop">删除上一个</button>
<label>复制到 cameras.yaml<textarea id="yaml" readonly></textarea></label>
<button id="copy">复制</button><span id="said"></span></aside></main><script>
const picture = new Image(), camera = {camera}, zones = {zones}, fronts = camera.frontages || [];
const hint = document.getElementById("hint"), hints = {{ zone: hint.textContent,
  front: "沿店面与人行道的分界单击，至少两点；按“完成”后再单击店内一点。",
  inside: "请单击店内一点。" }};
const get = (id) => document.getElementById(id), view = get("view"), pen = view.getContext("2d");
let points = [], drawn = [...fronts.map(() => fronts), ...zones.map(() => zones)], front = null;
const clean = (text) => JSON.stringify(text);
function yaml() {{
  const out = ["  - id: " + clean(camera.id)];
  if (camera.name) out.push("    name: " + clean(camera.name));
  out.push(zones.length ? "    zones:" : "    zones: []");
  for (const z of zones) {{
    out.push("      - id: " + clean(z.id));
    if (z.name) out.push("        name: " + clean(z.name));
    const list = z.polygon.map((p) => "[" + p.map((v) => v.toFixed(4)).join(", ") + "]");
    out.push("        polygon: [" + list.join(", ") + "]");
    out.push("        forbids: [" + z.forbids.join(", ") + "]");
    for (const [key, value] of Object.entries(z)) {{
      if (["id", "name", "polygon", "forbids"].includes(key) || value === null) continue;
      out.push("        " + key + ": " + JSON.stringify(value));
    }}
  }}
  for (const [key, value] of Object.entries({{ ...camera, frontages: fronts }})) {{
    if (["id", "name"].includes(key) || (Array.isArray(value) && !value.length)) continue;
    out.push("    " + key + ": " + JSON.stringify(value));
  }}
  return "cameras:\\n" + out.join("\\n") + "\\n";
}}
function trace(list, done, colour = "#e63c3c") {{
  pen.beginPath();
  list.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * view.width, y * view.height));
  if (done) {{ pen.closePath(); pen.fillStyle = colour + "40"; pen.fill(); }}
  pen.lineWidth = Math.max(2, view.width / 320); pen.strokeStyle = colour; pen.stroke();
}}
function mark(text, [x, y]) {{
  pen.font = Math.round(view.width / 40) + "px sans-serif"; pen.fillStyle = "#fff";
  pen.lineWidth = view.width / 200; pen.strokeStyle = "#000"; pen.lineJoin = "round";
  const at = [x * view.width + 6, Math.min(y * view.height + view.width / 36, view.height - 4)];
  pen.strokeText(text, ...at); pen.fillText(text, ...at);
}}
function draw() {{
  pen.drawImage(picture, 0, 0);
  for (const z of zones) trace(z.polygon, true);
  for (const f of fronts) trace(f.line || f.polygon, Boolean(f.polygon), "#2896ff");
  for (const z of zones) mark(z.name || z.id, z.polygon[0]);
  for (const f of fronts) mark(f.name || f.id, (f.line || f.polygon)[0]);
  const line = get("kind").value === "";
  trace(front ? front.line : points, false, line ? "#2896ff" : undefined);
  hint.textContent = front ? hints.inside : line ? hints.front : hints.zone;
  pen.fillStyle = "#ffdc00";
  for (const [x, y] of points) pen.fillRect(x * view.width - 4, y * view.height - 4, 8, 8);
  get("yaml").value = yaml();
}}
function fresh(list) {{
  points = []; drawn.push(list); get("name").value = get("dwell").value = "";
  let n = zones.length + fronts.length + 1;
  while ([...zones, ...fronts].some((one) => one.id === "zone-" + n)) n += 1;
  get("id").value = "zone-" + n; draw();
}}
function finish() {{
  const kind = get("kind").value, id = get("id").value || "zone-1", name = get("name").value;
  if (front || points.length < (kind ? 3 : 2)) return;
  if (!kind) {{ front = {{ id, name, line: points }}; return draw(); }}
  const dwell = parseFloat(get("dwell").value);
  zones.push({{ id, name, polygon: points, forbids: [kind], dwell_s: dwell > 0 ? dwell : null }});
  fresh(zones);
}}
view.onclick = (e) => {{
  const r = view.getBoundingClientRect(), clip = (v) => Math.min(1, Math.max(0, v));
  const p = [clip((e.clientX - r.left) / r.width), clip((e.clientY - r.top) / r.height)];
  if (front) {{
    fronts.push({{ ...front, inside: p }}); front = null; return fresh(fronts);
  }}
  const away = (q) => Math.hypot((p[0] - q[0]) * r.width, (p[1] - q[1]) * r.height);
  if (points.length > 2 && away(points[0]) < 10) return finish();
  points.push(p); draw();
}};
get("close").onclick = finish;
get("undo").onclick = () => {{ if (front) front = null; else points.pop(); draw(); }};
get("kind").onchange = draw;
get("drop").onclick = () => {{ const list = drawn.pop(); if (list) list.pop(); draw(); }};
get("copy").onclick = () => {{
  get("yaml").select(); document.execCommand("copy"); get("said").textContent = "已复制";
}};
picture.onload = () => {{ view.width = picture.width; view.height = picture.height; draw(); }};
picture.src = "data:image/jpeg;base64,{jpeg}";
</script></body></html>
"""


def drawing_page(image: Image, camera: Camera, kinds: Kinds) -> str:
    """A page to draw the zones and shop fronts of `camera` on `image`; it begins with those it has,
    and gives back whatever else the file says of it."""
    zones = [zone.model_dump(mode="json", exclude_unset=True) for zone in camera.zones]
    for zone, data in zip(camera.zones, zones, strict=True):
        if zone.active:
            data["active"] = [f"{a:%H:%M}-{b:%H:%M}" for a, b in zone.active]
    return PAGE.format(
        title=html.escape(camera.name or camera.id),
        kinds="".join(
            f'<option value="{kind.id}">{html.escape(kind.zh)} {kind.code}</option>'
            for kind in kinds.kinds
        ),
        camera=_script(camera.model_dump(mode="json", exclude_unset=True, exclude={"zones"})),
        zones=_script(zones),
        jpeg=base64.b64encode(encode_jpeg(image)).decode("ascii"),
    )


def _script(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
