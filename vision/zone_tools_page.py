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
<p>单击添加顶点，至少三个；单击第一个顶点或按“完成”封闭。区域画在地面上。</p></section>
<aside><label>区域编号<input id="id" value="zone-1"></label>
<label>名称<input id="name" placeholder="例如 路侧禁停区"></label>
<label>类型<select id="kind">{kinds}</select></label>
<label>停留（秒，空为默认）<input id="dwell" inputmode="decimal"></label>
<button id="close">完成</button><button id="undo">撤销一点</button>
<button id="drop">删除上一区域</button>
<label>复制到 cameras.yaml<textarea id="yaml" readonly></textarea></label>
<button id="copy">复制</button><span id="said"></span></aside></main><script>
const picture = new Image(), camera = {camera}, zones = {zones};
const get = (id) => document.getElementById(id), view = get("view"), pen = view.getContext("2d");
let points = [];
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
    if (z.dwell_s) out.push("        dwell_s: " + JSON.stringify(z.dwell_s));
  }}
  return "cameras:\\n" + out.join("\\n") + "\\n";
}}
function trace(list, done) {{
  pen.beginPath();
  list.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * view.width, y * view.height));
  if (done) {{ pen.closePath(); pen.fillStyle = "rgba(230,60,60,.25)"; pen.fill(); }}
  pen.lineWidth = Math.max(2, view.width / 320); pen.strokeStyle = "#e63c3c"; pen.stroke();
}}
function draw() {{
  pen.drawImage(picture, 0, 0);
  for (const z of zones) {{
    trace(z.polygon, true);
    pen.font = Math.round(view.width / 40) + "px sans-serif"; pen.fillStyle = "#fff";
    const [x, y] = z.polygon[0];
    pen.fillText(z.name || z.id, x * view.width + 6, y * view.height + view.width / 36);
  }}
  trace(points, false);
  pen.fillStyle = "#ffdc00";
  for (const [x, y] of points) pen.fillRect(x * view.width - 4, y * view.height - 4, 8, 8);
  get("yaml").value = yaml();
}}
function finish() {{
  if (points.length < 3) return;
  const dwell = parseFloat(get("dwell").value);
  zones.push({{ id: get("id").value || "zone-" + (zones.length + 1), name: get("name").value,
    polygon: points, forbids: [get("kind").value], dwell_s: dwell > 0 ? dwell : null }});
  points = []; get("id").value = "zone-" + (zones.length + 1); get("name").value = ""; draw();
}}
view.onclick = (e) => {{
  const r = view.getBoundingClientRect(), clip = (v) => Math.min(1, Math.max(0, v));
  const p = [clip((e.clientX - r.left) / r.width), clip((e.clientY - r.top) / r.height)];
  const away = (q) => Math.hypot((p[0] - q[0]) * r.width, (p[1] - q[1]) * r.height);
  if (points.length > 2 && away(points[0]) < 10) return finish();
  points.push(p); draw();
}};
get("close").onclick = finish;
get("undo").onclick = () => {{ points.pop(); draw(); }};
get("drop").onclick = () => {{ zones.pop(); draw(); }};
get("copy").onclick = () => {{
  get("yaml").select(); document.execCommand("copy"); get("said").textContent = "已复制";
}};
picture.onload = () => {{ view.width = picture.width; view.height = picture.height; draw(); }};
picture.src = "data:image/jpeg;base64,{jpeg}";
</script></body></html>
"""


def drawing_page(image: Image, camera: Camera, kinds: Kinds) -> str:
    """A page to draw the zones of `camera` on `image`; it begins with those it has."""
    zones = [
        zone.model_dump(mode="json", include={"id", "name", "polygon", "forbids", "dwell_s"})
        for zone in camera.zones
    ]
    return PAGE.format(
        title=html.escape(camera.name or camera.id),
        kinds="".join(
            f'<option value="{kind.id}">{html.escape(kind.zh)} {kind.code}</option>'
            for kind in kinds.kinds
        ),
        camera=_script({"id": camera.id, "name": camera.name}),
        zones=_script(zones),
        jpeg=base64.b64encode(encode_jpeg(image)).decode("ascii"),
    )


def _script(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
