// oauth4webapi, which checks whatever the standards let a client check, against `gatelet serve`.
//
//     node oauth4webapi.mjs WORLD
import assert from "node:assert/strict";

import * as oauth from "oauth4webapi";

import { Person } from "../browser/person.mjs";
import { check, world } from "./checks.mjs";

const { issuer, resource, clients } = world;
// The server is on this machine's loopback interface.
const loopback = { [oauth.allowInsecureRequests]: true };
const alice = new Person();

const as = await check("the discovery document is this issuer's, by OpenID Connect and by RFC 8414", async () => {
  const url = new URL(issuer);
  const documents = [];
  for (const algorithm of ["oidc", "oauth2"]) {
    const response = await oauth.discoveryRequest(url, { algorithm, ...loopback });
    documents.push(await oauth.processDiscoveryResponse(url, response));
  }
  assert.deepEqual(documents[0], documents[1]);
  return documents[0];
});

/** Asks alice, and checks where she is sent (RFC 9207 and `state`). */
async function authorized(client, redirectUri, parameters) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  const all = {
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  const { callback } = await alice.authorize(url.href);
  return { verifier, answer: oauth.validateAuthResponse(as, client, callback, state) };
}

/** What an RFC 9068 resource server makes of an access token. */
function validated(accessToken, audience = resource) {
  const request = new Request(resource, { headers: { Authorization: `Bearer ${accessToken}` } });
  return oauth.validateJwtAccessToken(as, request, audience, loopback);
}

async function introspected(token, options = {}) {
  const caller = { client_id: clients.introspector.id };
  const secret = oauth.ClientSecretBasic(clients.introspector.secret);
  const response = await oauth.introspectionRequest(as, caller, secret, token, { ...options, ...loopback });
  return oauth.processIntrospectionResponse(as, caller, response);
}

const redirectUri = "http://127.0.0.1:47110/callback";
const registered = await check("a client registers", async () => {
  const response = await oauth.dynamicClientRegistrationRequest(
    as,
    {
      client_name: "oauth4webapi",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    },
    loopback,
  );
  return oauth.processDynamicClientRegistrationResponse(response);
});
const secret = oauth.ClientSecretBasic(registered.client_secret);

let nonce;
const tokens = await check("a code is exchanged for tokens, the id token signed and for this login", async () => {
  nonce = oauth.generateRandomNonce();
  const { verifier, answer } = await authorized(registered, redirectUri, {
    scope: "openid profile email mcp:read",
    resource,
    nonce,
    max_age: "3600",
  });
  const response = await oauth.authorizationCodeGrantRequest(as, registered, secret, answer, redirectUri, verifier, loopback);
  const checks = { expectedNonce: nonce, maxAge: 3600, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(as, registered, response, checks);
  await oauth.validateApplicationLevelSignature(as, response, loopback);
  return tokens;
});

const subject = await check("the access token is one by RFC 9068, for this resource", async () => {
  const claims = await validated(tokens.access_token);
  assert.equal(claims.tenant, "acme");
  assert.equal(claims.client_id, registered.client_id);
  await assert.rejects(validated(tokens.access_token, "https://other.example/mcp"));
  return claims.sub;
});

await check("the id token is no access token", async () => {
  await assert.rejects(validated(tokens.id_token, registered.client_id));
});

await check("userinfo tells about the person of the id token", async () => {
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  assert.equal(sub, subject);
  const response = await oauth.userInfoRequest(as, registered, tokens.access_token, loopback);
  const person = await oauth.processUserInfoResponse(as, registered, sub, response);
  assert.equal(person.email, "alice@example.com");
});

const refreshed = await check("a refresh token gives the next, and an id token of the same login", async () => {
  const response = await oauth.refreshTokenGrantRequest(as, registered, secret, tokens.refresh_token, loopback);
  const refreshed = await oauth.processRefreshTokenResponse(as, registered, response);
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
  if (refreshed.id_token) await oauth.validateApplicationLevelSignature(as, response, loopback);
  await validated(refreshed.access_token);
  return refreshed;
});

await check("introspection knows the token, in JSON and signed (RFC 9701)", async () => {
  for (const requestJwtResponse of [false, true]) {
    const answer = await introspected(refreshed.access_token, { requestJwtResponse });
    assert.equal(answer.active, true);
    assert.equal(answer.sub, subject);
    assert.equal(answer.aud, resource);
    assert.equal(answer.tenant, "acme");
  }
  assert.deepEqual(await introspected("no-token"), { active: false });
});

await check("a revoked refresh token takes the access token along", async () => {
  const response = await oauth.revocationRequest(as, registered, secret, refreshed.refresh_token, loopback);
  await oauth.processRevocationResponse(response);
  assert.deepEqual(await introspected(refreshed.access_token), { active: false });
  const again = await oauth.refreshTokenGrantRequest(as, registered, secret, refreshed.refresh_token, loopback);
  await assert.rejects(oauth.processRefreshTokenResponse(as, registered, again), { error: "invalid_grant" });
});

const ways = [
  ["client_secret_basic", clients.basic.id, oauth.ClientSecretBasic(clients.basic.secret)],
  ["client_secret_post", clients.post.id, oauth.ClientSecretPost(clients.post.secret)],
];
for (const [alg, { id, jwk }] of Object.entries(clients.keys)) {
  const algorithm = {
    RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    PS256: { name: "RSA-PSS", hash: "SHA-256" },
    ES256: { name: "ECDSA", namedCurve: "P-256" },
    EdDSA: { name: "Ed25519" },
  }[alg];
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  // oauth4webapi calls EdDSA by its new name, Ed25519 (RFC 9864); servers of today know the old one.
  const rename = (header) => void (header.alg = alg);
  ways.push([`private_key_jwt, ${alg}`, id, oauth.PrivateKeyJwt(key, { [oauth.modifyAssertion]: rename })]);
}
for (const [way, id, authentication] of ways) {
  await check(`client credentials by ${way}`, async () => {
    const client = { client_id: id };
    const parameters = { resource, scope: "mcp:read" };
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, loopback);
    const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
    const claims = await validated(access_token);
    assert.deepEqual([claims.sub, claims.client_id], [id, id]);
  });
}
