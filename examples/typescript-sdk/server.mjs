// An MCP server made with the TypeScript SDK that checks access tokens of Gatelet with the published keys.
//
//     npm install
//     ISSUER=http://localhost:8710/oauth URL=http://127.0.0.1:8000 TENANT=acme npm start
//
// Give Gatelet this server as a resource: uri = "http://127.0.0.1:8000/mcp". A token that is revoked is accepted until it
// expires, a quarter of an hour at most; docs/resource-servers.md says how to ask instead.
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER: issuer, URL: url, TENANT: tenant } = process.env;
const resource = `${url}/mcp`;
// A key that nobody has seen is looked for at once, but not more often than every second.
const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/$/, "")}/jwks`), { cooldownDuration: 1000 });

/** What the SDK's middleware asks: whose token is it, and how far does it go (RFC 9068 §4). */
const verifier = {
  async verifyAccessToken(token) {
    let claims;
    try {
      const rules = { issuer, audience: resource, typ: "at+jwt", algorithms: ["RS256"], requiredClaims: ["exp", "sub"] };
      claims = (await jwtVerify(token, keys, rules)).payload;
    } catch (error) {
      throw new InvalidTokenError(error.code ?? "the access token cannot be checked");
    }
    if (tenant && claims.tenant !== tenant) throw new InvalidTokenError("the access token is for another tenant");
    return {
      token,
      clientId: claims.client_id,
      scopes: (claims.scope ?? "").split(" "),
      expiresAt: claims.exp,
      resource: new URL(resource),
      extra: { sub: claims.sub, tenant: claims.tenant, roles: claims.roles ?? [] },
    };
  },
};

function notes() {
  const server = new McpServer({ name: "Notes", version: "1.0.0" });
  server.registerTool("whoami", { description: "Who is calling" }, ({ authInfo }) => ({
    content: [{ type: "text", text: authInfo.extra.sub }],
  }));
  return server;
}

const metadata = `${url}/.well-known/oauth-protected-resource/mcp`;
const app = express();
// RFC 9728 §2: by this document clients find the authorization server.
app.get("/.well-known/oauth-protected-resource/mcp", (_, response) => {
  response.json({ resource, authorization_servers: [issuer], scopes_supported: ["mcp:read"] });
});
app.post(
  "/mcp",
  requireBearerAuth({ verifier, requiredScopes: ["mcp:read"], resourceMetadataUrl: metadata, expectedResource: resource }),
  express.json(),
  async (request, response) => {
    // Without sessions: each request brings its own token.
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on("close", () => transport.close());
    await notes().connect(transport);
    await transport.handleRequest(request, response, request.body);
  },
);
const { hostname, port } = new URL(url);
app.listen(Number(port), hostname);
