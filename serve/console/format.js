// Times in the camera's zone, durations and percentages.

const clocks = new Map();

export function moment(text, zone = "Asia/Shanghai") {
  if (!text) return "—";
  if (!clocks.has(zone)) {
    const parts = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
    clocks.set(zone, new Intl.DateTimeFormat("zh-CN", { ...parts, hour12: false, timeZone: zone }));
  }
  return clocks.get(zone).format(new Date(text)).replace("/", "-");
}

export function duration(seconds) {
  const total = Math.round(seconds);
  if (total < 60) return `${total} 秒`;
  if (total < 3600) return `${Math.floor(total / 60)} 分 ${total % 60} 秒`;
  return `${Math.floor(total / 3600)} 小时 ${Math.floor((total % 3600) / 60)} 分`;
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
