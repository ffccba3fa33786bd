// What the server beside this file makes of good and bad access tokens.
//
//     npm install
//     npm install --no-save gatelet     # not in the registry yet: docs/testing-javascript.md says how to pack it
//     npm test
//
// Nothing has to run or be configured: each issuer is an authorization server for these tests alone.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { useGatelet } from "gatelet/node-test";

const inUse = useGatelet();
let issuer, url, server;

before(async () => {
  url = `http://127.0.0.1:${await freePort()}`;
  const scopes = [{ name: "mcp:read" }, { name: "mcp:write" }];
  // People, tenants and clients are the ready-made ones.
  const config = { resources: [{ uri: `${url}/mcp`, scopes, default_scopes: ["mcp:read"] }] };
  issuer = await inUse.issuer({ config });
  const env = { ...process.env, ISSUER: issuer.issuer, URL: url, TENANT: "acme" };
  const script = path.join(import.meta.dirname, "server.mjs");
  server = spawn(process.execPath, [script], { env, stdio: ["ignore", "inherit", "inherit"] });
  await until("the server listens", () => status(undefined).then(() => true, () => false));
});

after(() => server.kill());

async function freePort() {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address();
  free.close();
  return port;
}

async function until(what, isSo) {
  for (let i = 0; i < 600 && server.exitCode === null; i += 1) {
    if (await isSo()) return;
    await sleep(100);
  }
  throw new Error(`${what}: not within a minute`);
}

/** What a client gets that begins with this token. */
function initialize(token) {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "tests", version: "1" } };
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  return fetch(`${url}/mcp`, { method: "POST", headers, body });
}

const status = async (token) => (await initialize(token)).status;
const minted = async (spec) => (await issuer.mint(spec)).token;

test("its own token passes", async () => {
  assert.equal(await status(await minted({ user: "alice" })), 200);
});

test("without a token it says where to get one", async () => {
  const answer = await initialize(undefined);
  assert.equal(answer.status, 401);
  // RFC 9728 §5.1
  const [, metadata] = /resource_metadata="([^"]+)"/.exec(answer.headers.get("www-authenticate"));
  const described = await (await fetch(metadata)).json();
  assert.equal(described.resource, issuer.resources[0].uri);
  assert.deepEqual(described.authorization_servers, [issuer.issuer]);
});

test("the zoo: tokens with one defect each get the status that the RFCs want", async (t) => {
  for (const { name, token, depends_on, error, ...specimen } of await issuer.zoo()) {
    // Who checks tokens by themselves cannot know that one was revoked.
    const skip = depends_on === "introspection";
    await t.test(name, { skip }, async () => {
      const answer = await initialize(token);
      assert.equal(answer.status, specimen.status, `${specimen.why} (${specimen.section}) ${specimen.remedy}`);
      if (error) assert.ok(answer.headers.get("www-authenticate").includes(`error="${error}"`));
    });
  }
});

test("a token without the scope does not pass", async () => {
  assert.equal(await status(await minted({ scope: "mcp:write" })), 403);
  assert.equal(await status(await minted({ scope: ["mcp:read", "mcp:write"] })), 200);
});

test("another tenant is refused", async () => {
  assert.equal(await status(await minted({ user: "grace" })), 401);
});

test("an expired token is refused", async () => {
  assert.equal(await status(await minted({ ttl: -60 })), 401);
});

test("a token of an hour ago is refused", async () => {
  // What a server takes for the time is its own; so it is the issuer that goes back, for as long as it takes to mint.
  const present = await issuer.snapshot();
  await issuer.setClock({ now: Math.floor(Date.now() / 1000) - 3600 });
  const token = await minted();
  await issuer.restore(present);
  assert.equal(await status(token), 401);
});

test("it takes the new key when keys rotate", async () => {
  const old = await issuer.mint();
  await issuer.rotateKey();
  const fresh = await issuer.mint();
  assert.notEqual(fresh.header.kid, old.header.kid);
  // It looks for keys once in a second at most.
  await until("the new key is known", async () => (await status(fresh.token)) === 200);
  assert.equal(await status(old.token), 200);
});

test("it asked the issuer for its keys and nothing else", async () => {
  await issuer.expect({ endpoint: "jwks", status: 200 });
  assert.deepEqual(new Set((await issuer.requests()).map(({ endpoint }) => endpoint)), new Set(["jwks"]));
});
