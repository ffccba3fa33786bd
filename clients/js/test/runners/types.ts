// What a type checker makes of the package. It is not run.
import { test } from "node:test";

import { type Issuer, type Minted, type Specimen, startGatelet, withIssuer } from "gatelet";
import { useGatelet } from "gatelet/node-test";
import { test as withFixtures } from "gatelet/vitest";

const inUse = useGatelet();
const gatelet = await startGatelet({ args: ["--listen", "127.0.0.1:0"] });
const issuer: Issuer = await gatelet.issuer({ frozen: true, auto: { user: "alice", decision: "deny" } });
const minted: Minted = await issuer.mint({ scope: ["mcp:read"], claims: { aud: null } });
const specimens: Specimen[] = await issuer.zoo({ user: "grace" });
const location: URL = await issuer.authorize(new URL(issuer.url), { scopes: ["mcp:read"] });
const status: number | null = (await (await inUse.gatelet()).issuers())[0]!.name.length;
console.log(minted.token, specimens[0]!.depends_on === "tenant", location.href, status);

test("typed", withIssuer({}, async (issuer, context: { name: string }) => {
  await issuer.fault({ endpoint: "token", status: 503 });
  console.log(context.name);
}));
withFixtures("typed", async ({ issuer }) => void (await issuer.snapshot()));

withFixtures.scoped({ issuerSpec: { now: 1_900_000_000 } });
const password: string | undefined = issuer.people[0]!.password;
const delay: number | undefined = (await issuer.faults())[0]?.delay_ms;
console.log(password, delay);

// @ts-expect-error: who has no password has none
const always: string = issuer.people[0]!.password;
// @ts-expect-error: a module has no default export
import gateletAsDefault from "gatelet";
// @ts-expect-error: there is no such member
withFixtures.scoped({ issuerSpec: { nwo: 1 } });
// @ts-expect-error: there is no such member
await issuer.mint({ usr: "alice" });
// @ts-expect-error: a specimen's status is a number
const wrong: string = specimens[0]!.status;
// @ts-expect-error: issuers are made by a Gatelet
new issuer.constructor();
