// A released TypeScript MCP client, unmodified, at an issuer of some persona.
//
//     node client.mjs sdk|client MCP_URL [again]
//
// `sdk` is @modelcontextprotocol/sdk 1.x, `client` is @modelcontextprotocol/client 2.x. Gets in, trying twice as a person
// would, and with `again` loses its access token and goes on. Prints what came of it as a line of JSON.
import * as two from "@modelcontextprotocol/client";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [generation, mcpUrl, again] = process.argv.slice(2);
const sdk = { sdk: { Client, StreamableHTTPClientTransport, UnauthorizedError }, client: two }[generation];
const CALLBACK = "http://127.0.0.1:33420/callback";
const result = { attempts: 0, in: false, asked: 0, again: false, errors: [] };

/** What an application gives the SDK: somewhere to keep things, and a way to send the person to a page. */
class Provider {
  redirectUrl = CALLBACK;
  clientMetadata = {
    client_name: "TypeScript e2e",
    redirect_uris: [CALLBACK],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  stored = {};
  sentTo;

  state = () => "state-of-the-e2e-client";
  clientInformation = () => this.stored.client;
  saveClientInformation = (client) => void (this.stored.client = client);
  tokens = () => this.stored.tokens;
  saveTokens = (tokens) => void (this.stored.tokens = tokens);
  saveCodeVerifier = (verifier) => void (this.stored.verifier = verifier);
  codeVerifier = () => this.stored.verifier;
  saveDiscoveryState = (discovery) => void (this.stored.discovery = discovery);
  discoveryState = () => this.stored.discovery;
  redirectToAuthorization = (url) => void (this.sentTo = url);
  invalidateCredentials = (scope) => (scope === "all" ? (this.stored = {}) : delete this.stored[scope]);
}

const provider = new Provider();
let transport;
let client;

/** What the SDK throws that wants the person; the issuer asks nobody and answers at once. */
async function loggedIn(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof sdk.UnauthorizedError) || !provider.sentTo) throw error;
  }
  result.asked += 1;
  const answer = await fetch(provider.sentTo, { redirect: "manual" });
  provider.sentTo = undefined;
  const location = answer.headers.get("location");
  if (!location) throw new Error(`the person sees an answer with status ${answer.status}`);
  const { searchParams } = new URL(location);
  // 1.x wants the code alone, and so never sees `iss`; 2.x wants all of the answer.
  await transport.finishAuth(generation === "sdk" ? searchParams.get("code") : searchParams);
  await connect();
  return work();
}

async function connect() {
  transport = new sdk.StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: provider });
  client = new sdk.Client({ name: "typescript-e2e", version: "1.0.0" });
  await client.connect(transport);
}

const call = (name) => client.callTool({ name, arguments: {} });

while (!result.in && result.attempts < 2) {
  result.attempts += 1;
  try {
    await loggedIn(async () => {
      await connect();
      await call("whoami");
    });
    result.in = true;
  } catch (error) {
    result.errors.push(String(error));
  }
}
if (again && result.in) {
  const before = result.asked;
  try {
    await call("expire");
    await loggedIn(() => call("whoami"));
    result.again = result.asked > before;
  } catch (error) {
    result.errors.push(String(error));
  }
}
console.log(JSON.stringify(result));
process.exit(0);
