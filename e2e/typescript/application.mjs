// What an application gives the TypeScript SDKs of both generations: somewhere to keep things, and a way to send the person
// to a page.
import * as two from "@modelcontextprotocol/client";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const one = { Client, StreamableHTTPClientTransport, UnauthorizedError };

/** By their packages: `sdk` is @modelcontextprotocol/sdk 1.x, `client` is @modelcontextprotocol/client 2.x. */
export const GENERATIONS = {
  // 1.x wants the code alone, and so never sees `iss`.
  sdk: { ...one, finish: (transport, params) => transport.finishAuth(params.get("code")) },
  // 2.x wants all of the answer.
  client: { ...two, finish: (transport, params) => transport.finishAuth(params) },
};

export class Provider {
  sentTo; // the address that the SDK wants the person to visit
  stored = {}; // what an application would keep on disk

  /** `document`: the address of a client id metadata document, if it has one. */
  constructor(callback, document) {
    this.redirectUrl = callback;
    this.clientMetadataUrl = document;
    this.clientMetadata = {
      client_name: "TypeScript e2e",
      redirect_uris: [callback],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

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
