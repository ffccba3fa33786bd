// The package as it is installed, with the program of its platform.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { ExpectationFailed, GateletError, connectGatelet, program, startGatelet, withIssuer } from "gatelet";
import { useGatelet } from "gatelet/node-test";

const inUse = useGatelet();

async function fetched(url) {
  const answer = await fetch(url);
  return [answer.status, await answer.json()];
}

test("an issuer is whole without any configuration", withIssuer({}, async (issuer) => {
  const [status, metadata] = await fetched(issuer.metadataUrl);
  assert.deepEqual([status, metadata.issuer, metadata.jwks_uri], [200, issuer.issuer, issuer.jwksUri]);
  assert.deepEqual(issuer.people.map((person) => person.username), ["alice", "admin", "grace"]);
  assert.equal(issuer.people[0].password, "wonderland");
  assert.equal(issuer.clients[1].client_secret, "test-machine-secret");
  assert.equal(issuer.resources[0].uri, "http://127.0.0.1:8000/mcp");
}));

test("a token says what is in it", withIssuer({}, async (issuer) => {
  const spec = { scope: ["mcp:read", "mcp:write"], claims: { color: "blue", jti: null }, ttl: 90 };
  const { token, header, claims } = await issuer.mint(spec);
  assert.equal(token.split(".").length, 3);
  assert.equal(header.typ, "at+jwt");
  assert.deepEqual([claims.iss, claims.sub, claims.scope], [issuer.issuer, "alice", "mcp:read mcp:write"]);
  assert.deepEqual([claims.color, "jti" in claims, claims.exp - claims.iat], ["blue", false, 90]);
}));

test("the body of a test gets what its runner gives", withIssuer({ now: 1_900_000_000 }, async (issuer, context) => {
  assert.equal(context.name, "the body of a test gets what its runner gives");
  assert.deepEqual(await issuer.clock(), { now: 1_900_000_000, frozen: true });
}));

test("an issuer ends with its test", async () => {
  let ended;
  await withIssuer({}, (issuer) => {
    ended = issuer;
  })();
  await assert.rejects(ended.mint(), { status: 404 });
});

test("an issuer that has ended can be deleted", withIssuer({}, async (issuer) => {
  await issuer.delete();
  await issuer.delete();
}));

test("what goes wrong inside is what is told", async () => {
  const own = withIssuer({}, async (issuer) => {
    await issuer.delete();
    throw new RangeError("of the test");
  });
  await assert.rejects(own(), RangeError);
});

test("a fault is listed as it was asked for", withIssuer({}, async (issuer) => {
  const headers = { "retry-after": "1" };
  const id = await issuer.fault({ endpoint: "par", times: null, delayMs: 5, headers, set: { a: null } });
  const [{ persona, ...fault }] = await issuer.faults();
  assert.deepEqual([fault.id, fault.endpoint, fault.times, fault.delay_ms], [id, "par", null, 5]);
  assert.deepEqual([fault.headers, fault.set, persona], [headers, { a: null }, undefined]);
}));

test("a process that died is reported with how it ended", async () => {
  const gatelet = await startGatelet();
  const issuer = await gatelet.issuer();
  process.kill(gatelet.pid, "SIGKILL");
  await assert.rejects(issuer.mint(), /does not answer: [^]*has ended \(SIGKILL\); the end of its log:/);
  await gatelet.close();
});

test("tests that replace fetch have an issuer all the same", withIssuer({}, async (issuer) => {
  const { fetch } = globalThis;
  globalThis.fetch = () => assert.fail("this is the fetch of the tests");
  try {
    assert.equal((await issuer.mint()).claims.sub, "alice");
  } finally {
    globalThis.fetch = fetch;
  }
}));

test("issuers have nothing in common", async () => {
  const [one, other] = [await inUse.issuer(), await (await inUse.gatelet()).issuer()];
  await one.rotateKey();
  assert.deepEqual([(await fetched(one.jwksUri))[1].keys.length, (await fetched(other.jwksUri))[1].keys.length], [2, 1]);
});

test("an expectation that fails says what was seen", withIssuer({}, async (issuer) => {
  await fetched(issuer.jwksUri);
  assert.equal((await issuer.expect({ endpoint: "jwks", method: "GET", exactly: 1 }))[0].status, 200);
  const failing = issuer.expect({ endpoint: "token", form: { grant_type: "refresh_token" } });
  await assert.rejects(failing, (error) => error instanceof ExpectationFailed && /jwks/.test(error.message));
}));

test("requests can be waited for", withIssuer({}, async (issuer) => {
  const waiting = issuer.requests({ endpoint: "jwks", wait: 10 });
  await fetched(issuer.jwksUri);
  assert.deepEqual((await waiting).map((request) => request.endpoint), ["jwks"]);
}));

test("a fault happens so often", withIssuer({}, async (issuer) => {
  await issuer.fault({ endpoint: "jwks", status: 503, times: 2 });
  const statuses = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await fetched(issuer.jwksUri))[0]);
  assert.deepEqual(statuses, [503, 503, 200]);
}));

test("a snapshot is put back", withIssuer({}, async (issuer) => {
  const kid = async () => (await issuer.mint()).header.kid;
  const before = await kid();
  const name = await issuer.snapshot();
  await issuer.loseKey();
  assert.notEqual(await kid(), before);
  await issuer.restore(name);
  assert.equal(await kid(), before);
}));

test("a refusal says why", async () => {
  const gatelet = await inUse.gatelet();
  const refused = gatelet.issuerNamed("nobody");
  await assert.rejects(refused, { name: "GateletError", status: 404, code: "not_found", message: /404 not_found/ });
  const stranger = await connectGatelet(gatelet.controlUrl, "not-the-control-key");
  await assert.rejects(stranger.issuers(), { status: 401 });
});

test("one that is running already is used", async (t) => {
  const gatelet = await inUse.gatelet();
  Object.assign(process.env, { GATELET_CONTROL_URL: gatelet.controlUrl, GATELET_CONTROL_KEY: gatelet.controlKey });
  t.after(() => {
    delete process.env.GATELET_CONTROL_URL;
    delete process.env.GATELET_CONTROL_KEY;
  });
  const same = await startGatelet();
  assert.deepEqual([same.pid, same.version], [undefined, gatelet.version]);
  await same.close();
  assert.ok((await gatelet.issuers()).length > 0, "closing it leaves it running");
});

test("one that is about to start is waited for", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = `127.0.0.1:${server.address().port}`;
  await new Promise((resolve) => server.close(resolve));
  Object.assign(process.env, { GATELET_CONTROL_URL: `http://${at}/control`, GATELET_CONTROL_KEY: "the-key-of-a-container" });
  t.after(() => {
    delete process.env.GATELET_CONTROL_URL;
    delete process.env.GATELET_CONTROL_KEY;
  });
  const waiting = startGatelet();
  await sleep(500);
  const started = await startGatelet({ bin: program(), args: ["--listen", at] });
  assert.equal((await waiting).controlKey, started.controlKey);
  await started.close();
});

/** Whether a process is over, or is within a few seconds. */
async function ends(pid) {
  for (let i = 0; i < 200; i += 1) {
    const stat = existsSync(`/proc/${pid}/stat`) && readFileSync(`/proc/${pid}/stat`, "utf8");
    if (!stat || stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return true;
    await sleep(50);
  }
  return false;
}

const needsProc = { skip: existsSync("/proc/self/stat") ? false : "looks for processes in /proc" };

test("who interrupts the tests does not interrupt their server", needsProc, async () => {
  const group = (pid) => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")[2];
  // A terminal's Ctrl-C goes to its foreground group.
  assert.notEqual(group((await inUse.gatelet()).pid), group(process.pid));
});

const WAYS = { "is closed": "await it.close()", "is forgotten": "", "is killed": "setTimeout(() => {}, 600_000)" };
for (const [how, rest] of Object.entries(WAYS)) {
  test(`the process ends when its starter ${how}`, needsProc, async () => {
    const script = `import { startGatelet } from "gatelet"; const it = await startGatelet(); console.log(it.pid); ${rest}`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: import.meta.dirname });
    const closed = new Promise((resolve) => starter.once("close", resolve));
    const [pid] = await once(createInterface({ input: starter.stdout }), "line");
    if (how === "is killed") starter.kill("SIGKILL");
    await closed;
    assert.ok(await ends(Number(pid)));
  });
}

test("the program is looked for in three places", (t) => {
  const before = { ...process.env };
  const elsewhere = mkdtempSync(path.join(tmpdir(), "gatelet-path-"));
  t.after(() => {
    process.env = before;
    rmSync(elsewhere, { recursive: true });
  });
  delete process.env.GATELET_BIN;
  const packaged = program();
  assert.match(packaged, /@gatelet[/\\]\w+-\w+[/\\]bin[/\\]gatelet/);
  const { libc } = JSON.parse(readFileSync(path.join(packaged, "../../package.json"), "utf8"));
  assert.deepEqual(libc, process.platform === "linux" ? ["glibc"] : undefined, "npm installs it where it can be run");
  process.env.GATELET_BIN = "/named";
  assert.equal(program(), "/named");
  // A copy of the package that has no platform package beside it.
  const script = createRequire(import.meta.url).resolve("gatelet");
  const alone = path.join(elsewhere, "lib");
  const code = `console.log(require(${JSON.stringify(path.join(alone, "process.js"))}).program())`;
  mkdirSync(alone);
  for (const name of ["process.js", "control.js"]) copyFileSync(path.join(path.dirname(script), name), path.join(alone, name));
  const found = (PATH) => spawnSync(process.execPath, ["-e", code], { env: { PATH }, cwd: elsewhere, encoding: "utf8" });
  assert.match(found("/nowhere").stderr, /cargo install .*GATELET_BIN/s);
  writeFileSync(path.join(elsewhere, "gatelet"), "");
  chmodSync(path.join(elsewhere, "gatelet"), 0o755);
  assert.equal(found(elsewhere).stdout.trim(), path.join(elsewhere, "gatelet"));
});

test("a program that does not start is reported with what it says", async () => {
  await assert.rejects(startGatelet({ args: ["--listen", "not-an-address"] }), /not-an-address/);
  await assert.rejects(startGatelet({ bin: "/nothing/is/here" }), (error) => error instanceof GateletError);
});

test("the command of the package is the program", () => {
  const command = path.join(path.dirname(createRequire(import.meta.url).resolve("gatelet")), "bin.js");
  const { stdout, status } = spawnSync(process.execPath, [command, "--version"], { encoding: "utf8" });
  assert.deepEqual([stdout.startsWith("gatelet "), status], [true, 0]);
  assert.notEqual(spawnSync(process.execPath, [command, "no-such-verb"]).status, 0);
});
