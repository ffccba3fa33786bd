// The released TypeScript MCP client, unmodified, against the demonstration server of `gatelet dev`.
//
//     node client.mjs ISSUER MCP_URL
import assert from "node:assert/strict";

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

import { Person } from "./person.mjs";

const [issuer, mcpUrl] = process.argv.slice(2);
const CALLBACK = "http://127.0.0.1:33418/callback";

/** What an application gives the SDK: somewhere to keep things, and a way to send the person to a page. */
class Provider {
  redirectUrl = CALLBACK;
  clientMetadata = {
    client_name: "TypeScript e2e",
    redirect_uris: [CALLBACK],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  sentTo; // the address that the SDK wants the person to visit
  stored = {}; // what an application would keep on disk

  state = () => "state-of-the-e2e-client";
  clientInformation = () => this.stored.client;
  saveClientInformation = (client) => void (this.stored.client = client);
  tokens = () => this.stored.tokens;
  saveTokens = (tokens) => void (this.stored.tokens = tokens);
  saveCodeVerifier = (verifier) => void (this.stored.verifier = verifier);
  codeVerifier = () => this.stored.verifier;
  saveDiscoveryState = (discovery) => void (this.stored.discovery = discovery);
  discoveryState = () => this.stored.discovery;
  redirectToAuthorization = (url) => void (this.sentTo = url);
}

/** What went over the wire, in order, so that checks can tell what the SDK did from what it says. */
const wire = [];
async function recordingFetch(input, init) {
  const response = await fetch(input, init);
  const url = new URL(input);
  const form = init?.body instanceof URLSearchParams ? Object.fromEntries(init.body) : undefined;
  wire.push({ method: init?.method ?? "GET", path: url.pathname, form, status: response.status, headers: response.headers });
  return response;
}
const sent = (path) => wire.filter((exchange) => exchange.path === path);

async function check(sentence, test) {
  try {
    await test();
    console.log(`ok - typescript: ${sentence}`);
  } catch (error) {
    // What follows builds on it.
    console.log(`not ok - typescript: ${sentence}`);
    console.error(error);
    process.exit(1);
  }
}

const provider = new Provider();
const alice = new Person(CALLBACK);
const transport = () => new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider, fetch: recordingFetch });
const client = new Client({ name: "typescript-e2e", version: "1.0.0" });
let current;

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.notEqual(result.isError, true, JSON.stringify(result.content));
  return result.structuredContent ?? result.content[0].text;
}

await check("learns from the 401 where to log in", async () => {
  current = transport();
  await assert.rejects(client.connect(current), UnauthorizedError);
  const first = wire[0];
  assert.equal(first.status, 401);
  assert.match(first.headers.get("www-authenticate"), /resource_metadata="/);
  assert.equal(provider.stored.discovery.authorizationServerMetadata.issuer, issuer);
  assert.ok(provider.sentTo.href.startsWith(`${issuer}/authorize?`), provider.sentTo.href);
});

await check("registers itself", async () => {
  assert.deepEqual(sent(new URL(`${issuer}/register`).pathname).map((exchange) => exchange.status), [201]);
  assert.ok(provider.stored.client.client_id);
  assert.equal(provider.sentTo.searchParams.get("client_id"), provider.stored.client.client_id);
});

await check("gets a token after alice logged in and allowed reading", async () => {
  const { callback, saw, offered } = await alice.authorize(provider.sentTo, ["mcp:read"]);
  assert.deepEqual(saw, ["login", "consent"]);
  assert.deepEqual(offered, ["mcp:read"]);
  assert.equal(callback.searchParams.get("iss"), issuer);
  assert.equal(callback.searchParams.get("state"), provider.state());
  await current.finishAuth(callback.searchParams);
  assert.ok(provider.stored.tokens.scope.split(" ").includes("mcp:read"));
  assert.ok(!provider.stored.tokens.scope.split(" ").includes("mcp:write"));
  assert.ok(provider.stored.tokens.refresh_token);
});

await check("whoami names client, user and tenant", async () => {
  current = transport();
  await client.connect(current);
  const who = await call("whoami");
  assert.equal(who.client_id, provider.stored.client.client_id);
  assert.equal(who.sub, "alice");
  assert.equal(who.tenant, "acme");
  assert.deepEqual(who.scopes.filter((scope) => scope.startsWith("mcp:")), ["mcp:read"]);
});

const note = { title: "typescript", text: "written by the TypeScript client" };

await check("write_note is refused for want of scope", async () => {
  provider.sentTo = undefined;
  await assert.rejects(call("write_note", note), UnauthorizedError);
  const refusal = sent(new URL(mcpUrl).pathname).at(-1);
  assert.equal(refusal.status, 403);
  assert.match(refusal.headers.get("www-authenticate"), /error="insufficient_scope"/);
  assert.match(refusal.headers.get("www-authenticate"), /scope="[^"]*mcp:write/);
});

await check("steps up with the same client id", async () => {
  assert.equal(provider.sentTo.searchParams.get("client_id"), provider.stored.client.client_id);
  assert.ok(provider.sentTo.searchParams.get("scope").split(" ").includes("mcp:write"));
  const { callback, saw, offered } = await alice.authorize(provider.sentTo, ["mcp:read", "mcp:write"]);
  assert.deepEqual(saw, ["consent"]);
  assert.deepEqual([...offered].sort(), ["mcp:read", "mcp:write"]);
  await current.finishAuth(callback.searchParams);
  assert.equal(sent(new URL(`${issuer}/register`).pathname).length, 1);
});

await check("write_note works then", async () => {
  await call("write_note", note);
  assert.deepEqual(await call("read_note", { title: note.title }), note);
});

// The TypeScript client keeps no clock: it uses its access token until a server answers 401, and then refreshes if it
// has a refresh token. So the token is aged here (its `exp` moved into the past, which also spoils its signature), and
// everything from the 401 on is the SDK's own doing.
await check("refreshes when its access token has expired, and goes on", async () => {
  const before = provider.stored.tokens;
  provider.stored.tokens = { ...before, access_token: aged(before.access_token) };
  provider.sentTo = undefined;
  const from = wire.length;
  assert.equal((await call("whoami")).sub, "alice");
  assert.equal(wire[from].status, 401);
  const exchanges = wire.slice(from).filter((exchange) => exchange.form).map((exchange) => exchange.form);
  assert.deepEqual(exchanges.map((form) => form.grant_type), ["refresh_token"]);
  assert.equal(exchanges[0].refresh_token, before.refresh_token);
  assert.notEqual(provider.stored.tokens.refresh_token, before.refresh_token);
  assert.notEqual(provider.stored.tokens.access_token, before.access_token);
  assert.equal(provider.sentTo, undefined, "nobody had to log in");
});

await check("keeps what was granted after the refresh", async () => {
  await call("write_note", { ...note, text: "after the refresh" });
  assert.equal((await call("read_note", { title: note.title })).text, "after the refresh");
});

await client.close();

function aged(jwt) {
  const [header, payload, signature] = jwt.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  claims.exp -= 24 * 3600;
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}
