// The hotline's doors.

import { ask } from "./api.js";

const send = (path, body, method = "POST") =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const callPath = (id) => `/v1/transcripts/${encodeURIComponent(id)}`;

export async function route(text) {
  const id = `console-${crypto.randomUUID()}`;
  const body = await send("/v1/transcripts:batch", [{ id, text, channel: "控制台" }]);
  const [result] = body.results;
  if (result.status !== "ok") throw new Error(result.error.message_zh);
  return id;
}

export const call = (id) => ask(callPath(id));
export const calls = (filters) => ask(`/v1/transcripts?${new URLSearchParams(filters)}`);
export const departments = () => ask("/v1/departments");
export const feedback = (id, said) => send(`${callPath(id)}/feedback`, said);
export const setState = (id, state) => send(`${callPath(id)}/state`, { state }, "PUT");
export const judge = (id, said) => send(`/v1/matters/proposals/${id}:decide`, said);
export const hotIssues = (day) => ask(`/v1/hot-issues?limit=8${day ? `&day=${day}` : ""}`);
