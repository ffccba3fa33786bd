// Vitest's fixtures.
import { expect, test as plain } from "vitest";

import { withIssuer } from "gatelet";
import { test } from "gatelet/vitest";

const names = [];

test("a test has an issuer", async ({ issuer }) => {
  names.push(issuer.name);
  expect((await issuer.mint()).claims.iss).toBe(issuer.issuer);
});

test("the next test has another one, in the same process", async ({ issuer, gatelet }) => {
  expect(names).not.toContain(issuer.name);
  expect((await gatelet.issuers()).map(({ name }) => name)).not.toContain(names[0]);
});

test.describe("with a spec", () => {
  test.scoped({ issuerSpec: { now: 1_900_000_000 } });

  test("the issuer is as it says", async ({ issuer }) => {
    expect(await issuer.clock()).toEqual({ now: 1_900_000_000, frozen: true });
  });
});

plain("the body of a test can have one too", withIssuer({}, async (issuer) => {
  expect((await issuer.mint()).claims.sub).toBe("alice");
}));
