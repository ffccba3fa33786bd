// openid-client, as an OpenID Connect relying party uses it, against `gatelet serve`.
//
//     node openid-client.mjs WORLD
import assert from "node:assert/strict";

import * as client from "openid-client";

import { Browser } from "../browser/browser.mjs";
import { Person } from "../browser/person.mjs";
import { check, world } from "./checks.mjs";

const { issuer, resource, clients } = world;
// Plain http, since it is loopback; and every signature checked, whatever TLS would have vouched for.
const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
const browser = new Browser();
const alice = new Person(browser);

const redirect_uri = "http://127.0.0.1:47111/callback";
const goodbye = "http://127.0.0.1:47111/goodbye";
const config = await check("discovery and registration", () =>
  client.dynamicClientRegistration(
    new URL(issuer),
    {
      client_name: "openid-client",
      redirect_uris: [redirect_uri],
      post_logout_redirect_uris: [goodbye],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
    },
    undefined,
    options,
  ),
);

async function signedIn(parameters) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  const { callback, saw } = await alice.authorize(url.href);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  if (parameters.max_age) checks.maxAge = Number(parameters.max_age);
  return { tokens: await client.authorizationCodeGrant(config, callback, checks), saw };
}

const { tokens } = await check("signing in with openid alone", () => signedIn({ scope: "openid email profile" }));

await check("userinfo, for the subject of the id token", async () => {
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.deepEqual([person.preferred_username, person.email], ["alice", "alice@example.com"]);
});

await check("max_age has a person log in again, and auth_time says when", async () => {
  const before = tokens.claims().auth_time;
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const again = await signedIn({ scope: "openid", max_age: "1" });
  assert.ok(again.saw.includes("login"));
  assert.ok(again.tokens.claims().auth_time > before);
});

await check("prompt=none without consent is an error for the client, and no page", async () => {
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: "openid mcp:write",
    resource,
    prompt: "none",
    state: "s",
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  });
  const { callback, saw } = await alice.authorize(url.href);
  assert.deepEqual(saw, []);
  const refused = client.authorizationCodeGrant(config, callback, { expectedState: "s", pkceCodeVerifier: "x".repeat(43) });
  await assert.rejects(refused, { error: "consent_required" });
});

await check("refresh, introspection by the token's own client, revocation", async () => {
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.refresh_token)).active, true);
  await client.tokenRevocation(config, refreshed.refresh_token);
  assert.equal((await client.tokenIntrospection(config, refreshed.refresh_token)).active, false);
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: "invalid_grant" });
});

await check("logout started by the client ends the session and comes back", async () => {
  const fresh = await signedIn({ scope: "openid" });
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: fresh.tokens.id_token,
    post_logout_redirect_uri: goodbye,
    state: "bye",
  });
  let at = await browser.open(url.href);
  // The person may be asked first.
  for (let page = 0; !at.callback && page < 2; page += 1) {
    const form = at.forms.find((form) => !form.has("password"));
    assert.ok(form, at.text);
    at = await browser.submit(form);
  }
  assert.equal(at.callback?.href, `${goodbye}?state=bye`);
  const { saw } = await signedIn({ scope: "openid" });
  assert.ok(saw.includes("login"), "nobody is logged in any more");
});

await check("client credentials", async () => {
  const { id, secret } = clients.post;
  const authentication = client.ClientSecretPost(secret);
  const machine = await client.discovery(new URL(issuer), id, secret, authentication, options);
  const answer = await client.clientCredentialsGrant(machine, { resource, scope: "mcp:read" });
  assert.deepEqual([answer.token_type, answer.scope], ["bearer", "mcp:read"]);
});
