// The service's doors. Errors carry the Chinese text of the problem details.

export class ApiError extends Error {}

export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError("无法连接服务");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok && !("ready" in body)) {
    throw new ApiError(body.detail_zh ?? `服务返回 ${response.status}`);
  }
  return body;
}

export const readiness = () => ask("/readyz");
export const cameras = () => ask("/v1/cameras");
export const incident = (id) => ask(`/v1/incidents/${encodeURIComponent(id)}`);

export const learnView = (id, by) => ask(`/v1/cameras/${encodeURIComponent(id)}/view:learn`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ by }),
});

export function incidents(filters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) query.append(name, value);
  return ask(`/v1/incidents?${query}`);
}
