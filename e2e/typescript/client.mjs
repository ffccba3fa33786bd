// A released TypeScript MCP client, unmodified, against the demonstration server of `gatelet dev` or FastMCP's.
//
//     node client.mjs sdk|client demo|fastmcp ISSUER MCP_URL [CLIENT_ID_DOCUMENT]
//
// `fastmcp` is fastmcp_server.py, which has no tool that asks for more than reading.
import assert from "node:assert/strict";

import { Person } from "../browser/person.mjs";
import { GENERATIONS, Provider } from "./application.mjs";

const [generation, server, issuer, mcpUrl, document] = process.argv.slice(2);
const sdk = GENERATIONS[generation];
const CALLBACK = "http://127.0.0.1:33418/callback";

/**
 * What went over the wire, in order, so that checks can tell what the SDK did from what it says. The stream on which an MCP
 * server may speak first is left out: the SDK opens it in the background, and it has no place in the order.
 */
const wire = [];
async function recordingFetch(input, init) {
  const response = await fetch(input, init);
  const url = new URL(input);
  if (url.href === mcpUrl && init?.method === "GET") return response;
  const form = init?.body instanceof URLSearchParams ? Object.fromEntries(init.body) : undefined;
  wire.push({ url: url.href, form, status: response.status, headers: response.headers });
  return response;
}
const sent = (url) => wire.filter((exchange) => exchange.url === url);
const endpoint = (name) => (issuer.endsWith("/") ? issuer + name : `${issuer}/${name}`);

async function check(sentence, test) {
  try {
    await test();
    console.log(`ok - ${sentence}`);
  } catch (error) {
    // What follows builds on it.
    console.log(`not ok - ${sentence}`);
    console.error(error);
    process.exit(1);
  }
}

const provider = new Provider(CALLBACK, document);
const alice = new Person();
const transport = () =>
  new sdk.StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider, fetch: recordingFetch });
const client = new sdk.Client({ name: "typescript-e2e", version: "1.0.0" });
let current;

const finish = ({ searchParams }) => sdk.finish(current, searchParams);

async function call(name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.notEqual(result.isError, true, JSON.stringify(result.content));
  return result.structuredContent ?? result.content[0].text;
}

await check("learns from the 401 where to log in", async () => {
  current = transport();
  await assert.rejects(client.connect(current), sdk.UnauthorizedError);
  const first = wire[0];
  assert.equal(first.status, 401);
  assert.match(first.headers.get("www-authenticate"), /resource_metadata="/);
  assert.equal(provider.stored.discovery.authorizationServerMetadata.issuer, issuer);
  assert.ok(provider.sentTo.href.startsWith(`${endpoint("authorize")}?`), provider.sentTo.href);
});

await check(document ? "names itself by its document" : "registers itself", async () => {
  assert.deepEqual(sent(endpoint("register")).map((exchange) => exchange.status), document ? [] : [201]);
  assert.ok(provider.stored.client.client_id);
  if (document) assert.equal(provider.stored.client.client_id, document);
  assert.equal(provider.sentTo.searchParams.get("client_id"), provider.stored.client.client_id);
});

await check("gets a token after alice logged in and allowed reading", async () => {
  const { callback, saw, offered } = await alice.authorize(provider.sentTo, ["mcp:read"]);
  assert.deepEqual(saw, ["login", "consent"]);
  assert.deepEqual(offered, ["mcp:read"]);
  assert.ok(callback.href.startsWith(`${CALLBACK}?`), callback.href);
  assert.equal(callback.searchParams.get("iss"), issuer);
  assert.equal(callback.searchParams.get("state"), provider.state());
  await finish(callback);
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

const note = { title: `typescript ${generation} ${document ?? ""}`, text: "written by the TypeScript client" };

if (server === "demo" && generation === "sdk") {
  await check("does not step up while it has a refresh token, by its own limit", async () => {
    // It refreshes, which cannot widen anything (RFC 6749 §6), and takes the second refusal for the end of the matter.
    provider.sentTo = undefined;
    await assert.rejects(call("write_note", note), /403 after trying upscoping/);
    assert.equal(sent(endpoint("token")).at(-1).form.grant_type, "refresh_token");
    assert.equal(provider.sentTo, undefined);
    // What an application does about it. The transport remembers that it tried.
    provider.stored.tokens.refresh_token = undefined;
    await client.close();
    await client.connect((current = transport()));
  });
}

if (server === "demo") {
  await check("write_note is refused for want of scope", async () => {
    provider.sentTo = undefined;
    await assert.rejects(call("write_note", note), sdk.UnauthorizedError);
    const refusal = sent(mcpUrl).at(-1);
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
    await finish(callback);
    assert.equal(sent(endpoint("register")).length, document ? 0 : 1);
  });

  await check("write_note works then", async () => {
    await call("write_note", note);
    assert.deepEqual(await call("read_note", { title: note.title }), note);
  });
}

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

if (server === "demo") {
  await check("keeps what was granted after the refresh", async () => {
    await call("write_note", { ...note, text: "after the refresh" });
    assert.equal((await call("read_note", { title: note.title })).text, "after the refresh");
  });
}

await client.close();

function aged(jwt) {
  const [header, payload, signature] = jwt.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  claims.exp -= 24 * 3600;
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}
