// The server as the usual client library of Node sees it. `node openid_client.mjs CASE`; what to test with is in SUBJECT.

import assert from "node:assert/strict";
import * as client from "openid-client";
import { Browser } from "./pages.mjs";

const { issuer, web, app, user } = JSON.parse(process.env.SUBJECT);
const execute = [client.allowInsecureRequests];
const url = new URL(issuer);
const service = await client.discovery(url, web.client_id, web.client_secret, client.ClientSecretPost(), { algorithm: "oauth2", execute });
const program = await client.discovery(url, app.client_id, {}, client.None(), { execute });

async function authorizationCode(configuration, redirectUri) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const authorizationUrl = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: "jobs:read",
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const called = await new Browser().allow(authorizationUrl, user);
  return client.authorizationCodeGrant(configuration, called, { pkceCodeVerifier, expectedState });
}

const me = (token) => client.fetchProtectedResource(program, token, new URL(`${issuer}/api/me`), "GET");

const cases = {
  async discovery() {
    assert.equal(service.serverMetadata().issuer, issuer);
    assert.equal(program.serverMetadata().supportsPKCE(), true);
  },

  async client_credentials() {
    const tokens = await client.clientCredentialsGrant(service, { scope: "jobs:read" });
    assert.equal(tokens.scope, "jobs:read");
    assert(tokens.expiresIn() > 0);
  },

  async authorization_code_and_refresh_token() {
    const tokens = await authorizationCode(program, app.redirect_uri);
    const refreshed = await client.refreshTokenGrant(program, tokens.refresh_token);
    assert.equal((await me(refreshed.access_token)).status, 200);
  },

  async revocation() {
    const tokens = await authorizationCode(program, app.redirect_uri);
    await client.tokenRevocation(program, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(program, tokens.refresh_token), { error: "invalid_grant" });
    await assert.rejects(me(tokens.access_token), { status: 401 });
  },

  async device_code() {
    const device = await client.initiateDeviceAuthorization(program, { scope: "jobs:read" });
    await new Browser().allowDevice(device.verification_uri_complete, user);
    const tokens = await client.pollDeviceAuthorizationGrant(program, device);
    assert.equal((await me(tokens.access_token)).status, 200);
  },

  async introspection() {
    const { access_token: token } = await client.clientCredentialsGrant(service, {});
    assert.equal((await client.tokenIntrospection(service, token)).active, true);
    assert.equal((await client.tokenIntrospection(service, "nonsense")).active, false);
  },

  async token_exchange() {
    const { access_token: token } = await client.clientCredentialsGrant(service, {});
    const exchanged = await client.genericGrantRequest(service, "urn:ietf:params:oauth:grant-type:token-exchange", {
      subject_token: token,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      scope: "jobs:read",
    });
    assert.equal(exchanged.scope, "jobs:read");
  },
};

await cases[process.argv[2]]();
