// Whatever the control plane can do, this package can: it calls everything that openapi.json lists, and nothing else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

import { startGatelet } from "gatelet";

const require = createRequire(import.meta.url);
const { Control } = require(path.join(path.dirname(require.resolve("gatelet")), "control.js"));
const METHODS = ["get", "put", "post", "delete", "patch"];
const DOCUMENT = "https://client.example/client.json";

/** Calls each method once. None of these may be refused. */
async function callEverything(gatelet) {
  const issuer = await gatelet.issuer({ keys: "fresh", seed: 7, issuerPath: "/here", expiresIn: 60, loopbackResources: false });
  assert.ok((await gatelet.issuers()).some(({ name }) => name === issuer.name));
  assert.equal((await gatelet.issuerNamed(issuer.name)).issuer, issuer.issuer);
  assert.ok((await gatelet.personas()).length > 0);
  await change(issuer);
  await look(issuer);
  await issuer.delete();
}

async function change(issuer) {
  const before = await issuer.snapshot();
  await issuer.setClock({ now: 1_900_000_000 });
  await issuer.freeze();
  assert.deepEqual(await issuer.advance(5), { now: 1_900_000_005, frozen: true });
  assert.deepEqual(await issuer.clock(), { now: 1_900_000_005, frozen: true });
  await issuer.revoke((await issuer.mint({ user: "alice", ttl: 60 })).token);
  const late = await issuer.publishKeyLate();
  assert.ok(!late.keys.includes(late.signing));
  assert.ok((await issuer.publishKey()).keys.includes(late.signing));
  await issuer.fault({ endpoint: "token", status: 503, delayMs: 1, drop: false, headers: { "retry-after": "1" }, processed: false });
  const number = await issuer.fault({ endpoint: "metadata", times: null, set: { issuer: null }, redirectSet: { iss: null } });
  assert.equal((await issuer.faults()).at(-1).id, number);
  await issuer.removeFault(number);
  await issuer.clearFaults();
  assert.deepEqual(await issuer.faults(), []);
  await issuer.persona(null);
  await issuer.auto({ user: "alice" });
  await issuer.auto(null);
  await issuer.document(DOCUMENT, { client_id: DOCUMENT }, { freshFor: 60 });
  await issuer.document(DOCUMENT, undefined, { status: 404 });
  await issuer.forgetDocument(DOCUMENT);
  await issuer.addTenant({ id: "initech" });
  await issuer.addUser({ username: "bob", password: "builder", memberships: [{ tenant: "initech" }] });
  await issuer.addResource({ uri: "https://mcp.example/mcp", scopes: [{ name: "x" }] });
  await issuer.addClient({ id: "robot", secret: "a-secret-of-a-robot", machine_scopes: ["x"], tenant: "initech" });
  const { claims } = await issuer.mint({ client: "robot", scope: "x", resource: "https://mcp.example/mcp" });
  assert.equal(claims.sub, "robot");
  await issuer.deleteClient("robot");
  await issuer.restore(before);
  assert.deepEqual(await issuer.snapshots(), [before]);
}

async function look(issuer) {
  const url = new URL(`${issuer.issuer}/authorize`);
  const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  const request = { client_id: "test-app", response_type: "code", redirect_uri: "http://127.0.0.1/callback", state: "s" };
  for (const [name, value] of Object.entries({ ...request, code_challenge: challenge, code_challenge_method: "S256" })) {
    url.searchParams.set(name, value);
  }
  assert.equal((await issuer.authorize(url)).searchParams.get("state"), "s");
  const names = (specimens) => specimens.map(({ name }) => name);
  assert.deepEqual(names(await issuer.zoo()), names(await issuer.specimens()));
  assert.deepEqual(await issuer.requests(), []);
  assert.deepEqual(await issuer.expect({ endpoint: "token", exactly: 0 }), []);
  await issuer.forgetRequests();
}

test("every path of the control plane is reachable", async (t) => {
  const gatelet = await startGatelet();
  const described = await gatelet.openapi();
  const called = new Set();
  const { call } = Control.prototype;
  t.mock.method(Control.prototype, "call", function recorded(method, path, options) {
    called.add(`${method.toLowerCase()} ${path}`);
    return call.apply(this, [method, path, options]);
  });
  await gatelet.openapi();
  await callEverything(gatelet);
  await gatelet.close();

  const offered = Object.entries(described.paths).flatMap(([path, at]) =>
    Object.keys(at).filter((method) => METHODS.includes(method)).map((method) => `${method} ${path}`));
  // A path without a parameter is meant before one with.
  const parameters = (template) => template.split("{").length;
  const fitting = (one) =>
    offered
      .filter((template) => new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+")}$`).test(one))
      .sort((a, b) => parameters(a) - parameters(b))[0] ?? one;
  assert.deepEqual([...new Set([...called].map(fitting))].sort(), offered.sort());
});

test("what can be asked for and what is answered is in the types", async (t) => {
  const gatelet = await startGatelet();
  t.after(() => gatelet.close());
  const { schemas } = (await gatelet.openapi()).components;
  const types = readFileSync(path.join(path.dirname(require.resolve("gatelet")), "../index.d.ts"), "utf8");
  const members = (name) => {
    const [, parent, body] = new RegExp(`^export interface ${name}(?: extends (\\w+))? \\{\\n(.*?)^\\}`, "ms").exec(types);
    const own = [...body.matchAll(/^  (\w+)(\??):/gm)].map(([, member, optional]) => ({ member, optional: optional !== "" }));
    return parent ? [...members(parent), ...own] : own;
  };
  const names = (all) => all.map(({ member }) => member).sort();
  const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  for (const name of ["IssuerSpec", "ZooSpec", "MintSpec", "FaultSpec", "Auto"]) {
    assert.deepEqual(names(members(name)), Object.keys(schemas[name].properties).map(camel).sort(), name);
  }
  const answers = ["Person", "Client", "Resource", "Minted", "Specimen", "Clock", "Fault", "Keys", "Persona"];
  const renamed = { Request: "SeenRequest", Pattern: "Expected", ...Object.fromEntries(answers.map((name) => [name, name])) };
  for (const [schema, name] of Object.entries(renamed)) {
    assert.deepEqual(names(members(name)), Object.keys(schemas[schema].properties).sort(), name);
    // A token is absent from the list of the zoo alone, which has a type of its own.
    const always = members(name).filter(({ member, optional }) => !optional && !(name === "Specimen" && member === "token"));
    assert.deepEqual(names(always), (schemas[schema].required ?? []).toSorted(), name);
  }
});
