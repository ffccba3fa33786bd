// mcp-remote, unmodified: the bridge by which clients that know only standard input reach a remote server. It opens
// the browser by itself.
//
//     node mcp-remote.mjs ISSUER MCP_URL [CLIENT_ID_DOCUMENT]
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [issuer, mcpUrl, document] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), "mcp-remote-"));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

async function connected() {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      here("../node_modules/mcp-remote/dist/proxy.js"),
      mcpUrl,
      ...(document ? ["--client-metadata-url", document] : []),
    ],
    env: {
      ...process.env,
      MCP_REMOTE_CONFIG_DIR: home,
      BROWSER: here("../browser/alice"), // for the xdg-open that it brings along
      ALICE_HOME: home,
    },
  });
  const client = new Client({ name: "mcp-remote-e2e", version: "1.0.0" });
  await client.connect(transport);
  return client;
}

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.notEqual(result.isError, true, JSON.stringify(result.content));
  return result.structuredContent ?? result.content[0].text;
}

async function check(sentence, test) {
  try {
    await test();
    console.log(`ok - ${sentence}`);
  } catch (error) {
    // What follows builds on it.
    console.log(`not ok - ${sentence}`);
    console.error(error);
    console.error(diary());
    process.exit(1);
  }
}

/** Alice's visits so far. */
function diary() {
  const path = join(home, "diary");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line)) : [];
}

/** The file of this name among what it keeps on disk. */
function kept(name) {
  const path = readdirSync(home, { recursive: true }).find((file) => file.endsWith(`_${name}.json`));
  return { path: join(home, path), content: JSON.parse(readFileSync(join(home, path), "utf8")) };
}

let client;
await check("gets in after alice logged in and allowed reading", async () => {
  client = await connected();
  const [visit, ...more] = diary();
  assert.deepEqual(more, []);
  assert.deepEqual([visit.saw, visit.offered], [["login", "consent"], ["mcp:read"]]);
  assert.match(visit.callback, /^http:\/\/localhost:\d+\/oauth\/callback\?/);
  assert.equal(new URL(visit.callback).searchParams.get("iss"), issuer);
});

await check("whoami names client, user and tenant", async () => {
  const who = await call(client, "whoami");
  assert.equal(who.client_id, document ?? kept("client_info").content.client_id);
  assert.deepEqual([who.sub, who.tenant], ["alice", "acme"]);
  assert.deepEqual(who.scopes.filter((scope) => scope.startsWith("mcp:")), ["mcp:read"]);
});
const note = { title: `mcp-remote ${document ?? ""}`, text: "written through mcp-remote" };

await check("steps up with the same client id when a tool wants it", async () => {
  const { client_id } = await call(client, "whoami");
  await call(client, "write_note", note);
  const [, visit, ...more] = diary();
  assert.deepEqual(more, []);
  assert.deepEqual([visit.saw, [...visit.offered].sort()], [["consent"], ["mcp:read", "mcp:write"]]);
  assert.deepEqual(await call(client, "read_note", { title: note.title }), note);
  assert.equal((await call(client, "whoami")).client_id, client_id);
});

await check("starts again with a token that has expired, refreshes and goes on", async () => {
  await client.close();
  const { path, content: before } = kept("tokens");
  writeFileSync(path, JSON.stringify({ ...before, expires_at: Date.now() - 1000 }));
  client = await connected();
  assert.equal((await call(client, "whoami")).sub, "alice");
  const { content: after } = kept("tokens");
  assert.notEqual(after.access_token, before.access_token);
  assert.notEqual(after.refresh_token, before.refresh_token);
  assert.equal(diary().length, 2, "nobody had to log in");
});

await check("keeps what was granted after the refresh", async () => {
  await call(client, "write_note", { ...note, text: "after the refresh" });
  assert.equal((await call(client, "read_note", { title: note.title })).text, "after the refresh");
});

await client.close();
rmSync(home, { recursive: true });
