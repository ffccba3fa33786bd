// Requests to the control plane.
"use strict";

const http = require("node:http");
const https = require("node:https");

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
  #epitaph;

  /** `epitaph` answers how the process ended, where that is known. */
  constructor(url, key, epitaph = async () => undefined) {
    this.url = url.replace(/\/+$/, "");
    this.key = key;
    this.#epitaph = epitaph;
  }

  /** What is answered, parsed; undefined for an answer without content. `body` undefined is none. */
  async call(method, path, { body, query = {}, wait = 0 } = {}) {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = { authorization: `Bearer ${this.key}`, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    let answer;
    try {
      answer = await exchange(url, { method, headers, timeout: PATIENCE + wait * 1000 }, JSON.stringify(body));
    } catch (cause) {
      const ended = await this.#epitaph();
      const message = `${method} ${url}: gatelet does not answer: ${cause.message || cause.code}`;
      throw new GateletError(ended ? `${message}\n${ended}` : message, { cause });
    }
    const { status, text } = answer;
    if (status < 200 || status > 299) throw refusal(method, path, status, text);
    return text === "" ? undefined : JSON.parse(text);
  }
}

/**
 * One request. Not by `fetch`, which the tests of a client replace, and which jsdom does not have; and not on a connection
 * that is kept, which would keep a test run from ending.
 */
function exchange(url, { method, headers, timeout }, body) {
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false, signal: AbortSignal.timeout(timeout) }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    asked.once("error", reject);
    asked.end(body);
  });
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
