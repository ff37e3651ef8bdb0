// Requests to the page's own service, and the one stream of what happens.

import { lang } from "./i18n.js";

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.text ?? `HTTP ${status}`);
    this.status = status;
    this.kind = error?.kind ?? "http";
    this.more = error ?? {};
  }
}

export const GONE = "gone";

async function answered(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { "accept-language": lang(), ...options.headers } });
  } catch {
    throw new ApiError(0, { kind: GONE, text: "" });
  }
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const body = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, isJson ? body.error : null);
  return body;
}

export function get(path, headers = {}) {
  return answered(path, { headers });
}

export function post(path, body = {}, headers = {}) {
  const raw = body instanceof Blob;
  const type = raw ? "application/octet-stream" : "application/json";
  return answered(path, {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body: raw ? body : JSON.stringify(body),
  });
}

export function remove(path, headers = {}) {
  return answered(path, { method: "DELETE", headers });
}

/** The stream: on(kind, listener) gives what ends it; `link` events say "here" or "gone". */
export function stream(url = "/api/events") {
  const listeners = new Map();
  const latest = new Map();
  const source = new EventSource(url);
  const tell = (kind, data) => {
    latest.set(kind, data);
    for (const one of listeners.get(kind) ?? []) one(data);
  };
  const known = new Set();
  const heed = (kind) => {
    if (known.has(kind) || kind === "link") return;
    known.add(kind);
    source.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  };
  source.onopen = () => tell("link", "here");
  source.onerror = () => tell("link", GONE);
  return {
    on(kind, listener) {
      heed(kind);
      if (!listeners.has(kind)) listeners.set(kind, new Set());
      listeners.get(kind).add(listener);
      if (latest.has(kind)) listener(latest.get(kind));
      return () => listeners.get(kind).delete(listener);
    },
    close() {
      source.close();
    },
  };
}
