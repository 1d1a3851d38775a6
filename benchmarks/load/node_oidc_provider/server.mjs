// node-oidc-provider as fast as it goes: production mode, everything in its memory, nothing on that is not measured.
// `node server.mjs ALGORITHM REFRESH_TOKENS` prints one line of JSON once it listens: its port, and refresh tokens.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [algorithm, refreshTokens] = [process.argv[2], Number(process.argv[3])];
const resource = "urn:bench";
const { privateKey } =
  algorithm === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });

const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const port = server.address().port;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret-bench-secret-bench-secret",
      grant_types: ["client_credentials", "authorization_code", "refresh_token"],
      redirect_uris: ["https://client.example/callback"],
      id_token_signed_response_alg: algorithm,
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: algorithm, use: "sig", kid: "bench" }] },
  scopes: ["offline_access", "jobs:read"],
  findAccount: (_, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, ClientCredentials: 900, Grant: 86_400, RefreshToken: 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope: "jobs:read",
        accessTokenFormat: "jwt",
        accessTokenTTL: 900,
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
});
server.on("request", provider.callback());

async function refreshToken(accountId) {
  const client = await provider.Client.find("bench");
  const grant = new provider.Grant({ accountId, clientId: "bench" });
  grant.addResourceScope(resource, "jobs:read");
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ accountId, client, grantId, scope: "jobs:read", resource, gty: "authorization_code" });
  return token.save();
}

const tokens = await Promise.all(Array.from({ length: refreshTokens }, (_, number) => refreshToken(`user-${number}`)));
console.log(JSON.stringify({ port, refresh_tokens: tokens }));
