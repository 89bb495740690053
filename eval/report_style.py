"""The report page's style sheet: light and dark, narrow and wide, screen and paper."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1d2530;
  --soft: #66707c; --rule: #dde1e6; --accent: #3b76c4; --good: #2c8a4f; --bad: #c23b4b; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --card: #1e242b; --ink: #e6e9ed;
  --soft: #9aa5b1; --rule: #333b45; --accent: #6ea3e8; --good: #5cc487; --bad: #ee7784; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui,
  "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0; } h2 { font-size: 18px; margin: 34px 0 8px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.subtitle, .note, small { color: var(--soft); } .note { margin: 0 0 10px; max-width: 80ch; }
.tiles { display: grid; gap: 12px; margin-top: 20px;
  grid-template-columns: repeat(auto-fill, minmax(158px, 1fr)); }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  padding: 10px 14px; display: flex; flex-direction: column; border-left: 4px solid var(--rule); }
.tile b { font-size: 25px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); } .tile small { min-height: 1.4em; }
.tile.good { border-left-color: var(--good); } .tile.good b { color: var(--good); }
.tile.bad { border-left-color: var(--bad); } .tile.bad b { color: var(--bad); }
.charts, .pictures { display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px;
  padding: 10px; break-inside: avoid; }
.chart figcaption { font-weight: 600; margin-bottom: 4px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); fill: none; } .axis { stroke: var(--soft); fill: none; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.diagonal { fill: none; stroke: var(--soft); stroke-dasharray: 5 4; }
.dot { stroke: var(--card); stroke-width: 1; } .track { fill: var(--rule); opacity: .5; }
.interval { stroke: var(--ink); fill: none; stroke-width: 1.5; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 4px 0 0;
  padding: 0; font-size: 13px; } .legend i { display: inline-block; width: 14px; height: 4px;
  margin-right: 5px; vertical-align: middle; border-radius: 2px; }
.pictures { align-items: start; } .pictures img { width: 100%; display: block; border-radius: 4px; }
.pictures figcaption { font-size: 13px; margin-top: 6px; overflow-wrap: anywhere; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule);
  border-radius: 8px; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 12px; border-bottom: 1px solid var(--rule);
  font-variant-numeric: tabular-nums; } tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 500; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
thead th.number { text-align: right; }
.matrix td { background: color-mix(in srgb, var(--accent) var(--share), transparent);
  text-align: center; } .matrix thead th:not(:first-child) { text-align: center; }
.matrix tbody th { font-weight: 500; white-space: nowrap; width: 1%; }
@media print { body { background: none; font-size: 12px; } main { max-width: none; padding: 0; } }
"""
