// Requests to the control plane.
"use strict";

/** Milliseconds that an answer may take, beyond what was asked for by `wait`. */
const PATIENCE = 30_000;

class GateletError extends Error {
  constructor(message, { status, code, cause } = {}) {
    super(message, { cause });
    this.name = new.target.name;
    this.status = status;
    this.code = code;
  }
}

class ExpectationFailed extends GateletError {}

class Control {
  constructor(url, key) {
    this.url = url.replace(/\/+$/, "");
    this.key = key;
  }

  /** What is answered, parsed; undefined for an answer without content. `body` undefined is none. */
  async call(method, path, { body, query = {}, wait = 0 } = {}) {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = { authorization: `Bearer ${this.key}`, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const signal = AbortSignal.timeout(PATIENCE + wait * 1000);
    let answer, text;
    try {
      answer = await fetch(url, { method, headers, body: JSON.stringify(body), signal });
      text = await answer.text();
    } catch (cause) {
      throw new GateletError(`${method} ${url}: gatelet does not answer: ${cause.cause?.message ?? cause.message}`, { cause });
    }
    if (!answer.ok) throw refusal(method, path, answer.status, text);
    return text === "" ? undefined : JSON.parse(text);
  }
}

function refusal(method, path, status, text) {
  let code;
  let description = text;
  try {
    ({ error: code, error_description: description = "" } = JSON.parse(text));
  } catch {
    // Not of the control plane; the text is all there is to tell.
  }
  if (code === "expectation_failed") return new ExpectationFailed(description, { status, code });
  return new GateletError(`${method} ${path}: ${status} ${code ?? ""} ${description}`, { status, code });
}

module.exports = { Control, ExpectationFailed, GateletError };
