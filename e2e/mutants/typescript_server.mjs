// An MCP server with the TypeScript SDK that checks access tokens with jose as strictly as RFC 9068 §4 asks; or with one
// fault, by MUTANT.
//
//     GATELET_ISSUER=... GATELET_JWKS_URI=... GATELET_RESOURCE=http://127.0.0.1:8000/mcp GATELET_SCOPE=mcp:read \
//         [GATELET_TENANT=acme] [MUTANT=wrong-audience] node typescript_server.mjs
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import * as jose from "jose";

const {
  GATELET_ISSUER: issuer,
  GATELET_JWKS_URI: jwksUri,
  GATELET_RESOURCE: resource,
  GATELET_SCOPE: scope,
  GATELET_TENANT: tenant,
  MUTANT: mutant = "",
} = process.env;

// What each mutant does, and the correct server does not.
const faults = {
  takesAnyAudience: "wrong-audience",
  ignoresExpiry: "ignores-expiry",
  skipsScope: "skips-scope",
  trustsAlgNone: "trusts-alg-none",
  acceptsIdTokens: "accepts-id-token",
  ignoresIssuer: "ignores-issuer",
  ignoresTyp: "ignores-typ",
  takesOtherTenants: "other-tenant",
  trustsUnknownKeys: "unknown-key",
  sendsNoChallenge: "no-challenge",
  publishesAnotherResource: "wrong-metadata",
  keepsKeysForEver: "caches-for-ever",
  letsAnybodyWrite: "skips-tool-scope",
};
if (mutant !== "" && !Object.values(faults).includes(mutant)) throw new Error(`MUTANT: there is no ${mutant}`);
const faulty = Object.fromEntries(Object.entries(faults).map(([what, name]) => [what, name === mutant]));

// A key that is new is looked for at once: it is made while this server runs.
const times = faulty.keepsKeysForEver
  ? { cacheMaxAge: Infinity, cooldownDuration: Infinity }
  : { cacheMaxAge: 300_000, cooldownDuration: 0 };
const keys = jose.createRemoteJWKSet(new URL(jwksUri), times);

/** The claims of a token that is to be accepted, whatever its scope. */
async function claimsOf(token) {
  const [header, unchecked] = [jose.decodeProtectedHeader(token), jose.decodeJwt(token)];
  const idToken = faulty.acceptsIdTokens && header.typ === "JWT" && unchecked.scope === undefined;
  const rules = {
    algorithms: ["RS256"],
    typ: faulty.ignoresTyp || idToken ? undefined : "at+jwt",
    issuer: faulty.ignoresIssuer ? undefined : issuer,
    audience: faulty.takesAnyAudience || idToken ? undefined : resource,
    requiredClaims: ["iss", "exp", "aud", "sub", "iat", ...(idToken ? [] : ["client_id", "jti"])],
    // Time stands still for each token at the moment when it was issued.
    currentDate: faulty.ignoresExpiry ? new Date(unchecked.iat * 1000) : undefined,
  };
  const claims = await authentic(token, header, rules);
  if (tenant && claims.tenant !== tenant && !(faulty.takesOtherTenants || idToken)) {
    throw new InvalidTokenError("the access token is for another tenant");
  }
  if (!["string", "undefined"].includes(typeof claims.scope)) throw new InvalidTokenError("the scope is no text");
  return idToken ? { ...claims, scope } : claims;
}

/** The claims, if they keep the rules and the issuer's key signed them. */
async function authentic(token, header, rules) {
  if (faulty.trustsAlgNone && header.alg === "none") return jose.UnsecuredJWT.decode(token, rules).payload;
  try {
    return (await jose.jwtVerify(token, keys, rules)).payload;
  } catch (error) {
    if (!(faulty.trustsUnknownKeys && error instanceof jose.errors.JWKSNoMatchingKey)) throw error;
    // The same claims as an unsecured token.
    const unsecured = jose.base64url.encode(JSON.stringify({ ...header, alg: "none" }));
    return jose.UnsecuredJWT.decode(`${unsecured}.${token.split(".")[1]}.`, rules).payload;
  }
}

/** What the SDK's middleware asks: whose token is it, and how far does it go. */
const verifier = {
  async verifyAccessToken(token) {
    const claims = await claimsOf(token).catch((error) => {
      throw error instanceof jose.errors.JOSEError || error instanceof TypeError
        ? new InvalidTokenError(error.code ?? "no JWT")
        : error;
    });
    return {
      token,
      clientId: claims.client_id ?? "",
      scopes: (claims.scope ?? "").split(" "),
      // The SDK compares it once more.
      expiresAt: faulty.ignoresExpiry ? Date.now() / 1000 + 60 : claims.exp,
      resource: new URL(resource),
    };
  },
};

function notes() {
  const server = new McpServer({ name: "Notes", version: "1.0.0" });
  const said = (text) => ({ content: [{ type: "text", text }] });
  server.registerTool("read_notes", { description: "What was written" }, () => said("milk, bread"));
  server.registerTool("write_note", { description: "Write a note" }, () => said("written"));
  return server;
}

const { origin, hostname, port, pathname } = new URL(resource);
const metadata = `/.well-known/oauth-protected-resource${pathname}`;

/** Lets a token through that has these scopes. */
function bearer(requiredScopes) {
  const resourceMetadataUrl = `${origin}${metadata}`;
  return requireBearerAuth({ verifier, requiredScopes, resourceMetadataUrl, expectedResource: resource });
}

/** A call of the tool that writes needs more (RFC 6750 §3.1); the SDK's middleware asks for it. */
function stepUp(request, response, next) {
  const { method, params } = request.body ?? {};
  if (method !== "tools/call" || params?.name !== "write_note" || faulty.letsAnybodyWrite) return next();
  return bearer([scope, "mcp:write"])(request, response, next);
}

function withoutChallenge(_, response, next) {
  const set = response.set.bind(response);
  response.set = (name, value) => (name === "WWW-Authenticate" ? response : set(name, value));
  next();
}

const app = express();
// RFC 9728 §2. The wrong resource is the origin of the right one, as who forgets its path would have it.
app.get(metadata, (_, response) => {
  response.json({
    resource: faulty.publishesAnotherResource ? origin : resource,
    authorization_servers: [issuer],
    scopes_supported: [scope, "mcp:write"],
  });
});
if (faulty.sendsNoChallenge) app.use(withoutChallenge);
app.use(pathname, bearer(faulty.skipsScope ? [] : [scope]));
app.post(pathname, express.json(), stepUp, async (request, response) => {
  // Without sessions: each request brings its own token.
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => transport.close());
  await notes().connect(transport);
  await transport.handleRequest(request, response, request.body);
});
app.listen(Number(port), hostname);
