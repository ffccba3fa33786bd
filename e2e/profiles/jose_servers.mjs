// Resource servers that check tokens with jose: the type, issuer and audience letter by letter, a scope, a claim or two.
//
//     node jose_servers.mjs SITES
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { createRemoteJWKSet, errors, jwtVerify } from "jose";

/** One text that a claim has to be, or several that a list has to hold. */
function has(claims, expected) {
  return Object.entries(expected).every(([name, wanted]) => {
    const found = claims[name];
    if (!Array.isArray(wanted)) return found === wanted;
    return Array.isArray(found) && wanted.every((one) => found.includes(one));
  });
}

function verifier({ issuer, audience, jwks, scope, claims }) {
  const keys = createRemoteJWKSet(new URL(jwks));
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: "at+jwt", algorithms: ["RS256"] });
      return (payload.scope ?? "").split(" ").includes(scope) && has(payload, claims);
    } catch (error) {
      if (error instanceof errors.JOSEError) return false;
      throw error;
    }
  };
}

for (const site of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const accepts = verifier(site);
  createServer(async (request, response) => {
    request.resume();
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    response.writeHead((await accepts(token)) ? 200 : 401).end();
  }).listen(site.port, "127.0.0.1");
}
