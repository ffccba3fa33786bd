// A released TypeScript MCP client, unmodified, at an issuer of some persona.
//
//     node client.mjs sdk|client MCP_URL [again]
//
// Gets in, trying twice as a person would, and with `again` loses its access token and goes on. Prints what came of it as a
// line of JSON.
import { GENERATIONS, Provider } from "../typescript/application.mjs";

const [generation, mcpUrl, again] = process.argv.slice(2);
const sdk = GENERATIONS[generation];
const result = { attempts: 0, in: false, asked: 0, again: false, errors: [] };

const provider = new Provider("http://127.0.0.1:33420/callback");
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
  await sdk.finish(transport, new URL(location).searchParams);
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
