// Jest, as it comes: CommonJS.
const { withIssuer } = require("gatelet");
const { useGatelet } = require("gatelet/jest");

const inUse = useGatelet();

test("a test has an issuer", async () => {
  const issuer = await inUse.issuer({ now: 1_900_000_000 });
  expect(await issuer.clock()).toEqual({ now: 1_900_000_000, frozen: true });
  expect((await issuer.mint()).claims.iss).toBe(issuer.issuer);
});

test("the body of a test can have one too", withIssuer({}, async (issuer) => {
  expect((await issuer.mint()).claims.sub).toBe("alice");
}));
