// One process of `gatelet test`. index.d.ts documents it.
"use strict";

const { setTimeout: sleep } = require("node:timers/promises");

const { Control } = require("./control.js");
const { Issuer } = require("./issuer.js");
const { Process, STARTING } = require("./process.js");

class Gatelet {
  #control;
  #process;

  constructor(control, version, running) {
    this.#control = control;
    this.#process = running;
    this.version = version;
    this.controlUrl = control.url;
    this.controlKey = control.key;
  }

  get pid() {
    return this.#process?.pid;
  }

  get log() {
    return this.#process?.log ?? "";
  }

  async close() {
    await this.#process?.stop();
  }

  async issuer({ expiresIn, issuerPath, loopbackResources, ...spec } = {}) {
    const given = { expires_in: expiresIn, issuer_path: issuerPath, loopback_resources: loopbackResources };
    const body = { ...given, ...spec };
    return new Issuer(this.#control, await this.#control.call("POST", "/issuers", { body }));
  }

  async issuers() {
    return (await this.#control.call("GET", "/issuers")).issuers.map((facts) => new Issuer(this.#control, facts));
  }

  async issuerNamed(name) {
    return new Issuer(this.#control, await this.#control.call("GET", `/issuers/${encodeURIComponent(name)}`));
  }

  async personas() {
    return (await this.#control.call("GET", "/personas")).personas;
  }

  openapi() {
    return this.#control.call("GET", "/openapi.json");
  }
}

async function startGatelet({ bin, args = [] } = {}) {
  const { GATELET_CONTROL_URL: url, GATELET_CONTROL_KEY: key = "none" } = process.env;
  if (url && !bin) return connectInTime(url, key);
  const running = new Process(bin, args);
  const announced = await running.announcement();
  const control = new Control(announced.control_url, announced.control_key, () => running.epitaph());
  return new Gatelet(control, announced.version, running);
}

/** The one that is named may be about to start, as a container is that was started together with the tests. */
async function connectInTime(url, key) {
  const late = Date.now() + STARTING;
  for (;;) {
    try {
      return await connectGatelet(url, key);
    } catch (problem) {
      if (problem.status !== undefined || Date.now() > late) throw problem;
    }
    await sleep(100);
  }
}

async function connectGatelet(controlUrl, controlKey) {
  const control = new Control(controlUrl, controlKey);
  const described = await control.call("GET", "/openapi.json");
  return new Gatelet(control, described.info.version);
}

let shared;

function withIssuer(spec, body) {
  return async (...context) => {
    const gatelet = await (shared ??= startGatelet());
    const issuer = await gatelet.issuer(spec);
    let result;
    try {
      result = await body(issuer, ...context);
    } catch (problem) {
      // What went wrong inside is what there is to tell.
      await issuer.delete().catch(() => {});
      throw problem;
    }
    await issuer.delete();
    return result;
  };
}

module.exports = { Gatelet, connectGatelet, startGatelet, withIssuer };
