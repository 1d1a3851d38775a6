// The server as the strictest client of OAuth 2 sees it. `node oauth4webapi.mjs CASE`; what to test with is in SUBJECT.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { Browser } from "./pages.mjs";

const { issuer, audience, web, app, user } = JSON.parse(process.env.SUBJECT);
const insecure = { [oauth.allowInsecureRequests]: true };
const secret = oauth.ClientSecretBasic(web.client_secret);
const webClient = { client_id: web.client_id };
const appClient = { client_id: app.client_id };

async function discover(algorithm) {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...insecure }));
}

const as = await discover("oauth2");

async function clientCredentials(parameters = {}) {
  const response = await oauth.clientCredentialsGrantRequest(as, webClient, secret, parameters, insecure);
  return oauth.processClientCredentialsResponse(as, webClient, response);
}

async function authorizationCode(client, authentication, redirectUri) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "jobs:read jobs:write",
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const called = await new Browser().allow(url, user);
  const parameters = oauth.validateAuthResponse(as, client, called, state);
  const ask = () =>
    oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, redirectUri, verifier, insecure);
  return { tokens: await oauth.processAuthorizationCodeResponse(as, client, await ask()), ask };
}

function validate(token, expected = audience) {
  const request = new Request(`${issuer}/api/me`, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(as, request, expected, insecure);
}

async function me(token) {
  const url = new URL(`${issuer}/api/me`);
  return oauth.protectedResourceRequest(token, "GET", url, new Headers(), null, insecure);
}

async function refused(promise, code) {
  const error = await promise.then(() => assert.fail("was not refused"), (reason) => reason);
  assert(error instanceof oauth.ResponseBodyError, error);
  assert.equal(error.error, code);
}

const cases = {
  async discovery() {
    assert.equal(as.issuer, issuer);
    assert.deepEqual(await discover("oidc"), as);
    assert(as.code_challenge_methods_supported.includes("S256"));
  },

  async client_credentials() {
    const tokens = await clientCredentials({ scope: "jobs:read" });
    assert.equal(tokens.scope, "jobs:read");
    assert.equal(tokens.refresh_token, undefined);
    assert(tokens.expires_in > 0);
  },

  async refused_grants() {
    await refused(clientCredentials({ scope: "everything" }), "invalid_scope");
    const wrong = oauth.ClientSecretBasic("wrong");
    const response = await oauth.clientCredentialsGrantRequest(as, webClient, wrong, {}, insecure);
    const error = await oauth.processClientCredentialsResponse(as, webClient, response).catch((reason) => reason);
    assert(error instanceof oauth.WWWAuthenticateChallengeError, error);
    assert.equal(error.status, 401);
  },

  async authorization_code_of_a_confidential_client() {
    const { tokens } = await authorizationCode(webClient, secret, web.redirect_uri);
    assert.equal((await validate(tokens.access_token)).client_id, web.client_id);
  },

  async authorization_code_of_a_public_client() {
    const { tokens, ask } = await authorizationCode(appClient, oauth.None(), app.redirect_uri);
    assert.equal(tokens.scope, "jobs:read jobs:write");
    assert.equal((await me(tokens.access_token)).status, 200);
    await refused(ask().then((response) => oauth.processAuthorizationCodeResponse(as, appClient, response)), "invalid_grant");
  },

  async refresh_token() {
    const { tokens } = await authorizationCode(appClient, oauth.None(), app.redirect_uri);
    const response = await oauth.refreshTokenGrantRequest(as, appClient, oauth.None(), tokens.refresh_token, insecure);
    const refreshed = await oauth.processRefreshTokenResponse(as, appClient, response);
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    assert.equal((await me(refreshed.access_token)).status, 200);
  },

  // RFC 9068 §4: type, signature by the published key, issuer, audience, times, and the claims that must be there.
  async rfc9068() {
    const { access_token: token } = await clientCredentials();
    const claims = await validate(token);
    assert.equal(claims.sub, web.client_id);
    assert.equal(typeof claims.status.status_list.idx, "number");
    await assert.rejects(validate(token, "another-audience"));
    await assert.rejects(validate(token.slice(0, -4) + "AAAA"));
  },

  async revocation_of_an_access_token() {
    const { access_token: token } = await clientCredentials();
    assert.equal((await me(token)).status, 200);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, webClient, secret, token, insecure));
    const error = await me(token).catch((reason) => reason);
    assert(error instanceof oauth.WWWAuthenticateChallengeError, error);
    assert.equal(error.cause[0].parameters.error, "invalid_token");
  },

  async revocation_of_a_refresh_token() {
    const { tokens } = await authorizationCode(appClient, oauth.None(), app.redirect_uri);
    const options = { ...insecure, additionalParameters: { token_type_hint: "refresh_token" } };
    const response = await oauth.revocationRequest(as, appClient, oauth.None(), tokens.refresh_token, options);
    await oauth.processRevocationResponse(response);
    const again = oauth.refreshTokenGrantRequest(as, appClient, oauth.None(), tokens.refresh_token, insecure);
    await refused(again.then((answer) => oauth.processRefreshTokenResponse(as, appClient, answer)), "invalid_grant");
  },

  async device_code() {
    const asked = await oauth.deviceAuthorizationRequest(as, appClient, oauth.None(), { scope: "jobs:read" }, insecure);
    const device = await oauth.processDeviceAuthorizationResponse(as, appClient, asked);
    const poll = async () => {
      const response = await oauth.deviceCodeGrantRequest(as, appClient, oauth.None(), device.device_code, insecure);
      return oauth.processDeviceCodeResponse(as, appClient, response);
    };
    await refused(poll(), "authorization_pending");
    await new Browser().allowDevice(device.verification_uri_complete, user);
    await new Promise((done) => setTimeout(done, (device.interval + 0.5) * 1000));
    const tokens = await poll();
    assert.equal((await validate(tokens.access_token)).client_id, app.client_id);
  },

  async introspection() {
    const { access_token: token } = await clientCredentials();
    const ask = async () => {
      const response = await oauth.introspectionRequest(as, webClient, secret, token, insecure);
      return oauth.processIntrospectionResponse(as, webClient, response);
    };
    const { active, client_id } = await ask();
    assert.deepEqual({ active, client_id }, { active: true, client_id: web.client_id });
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, webClient, secret, token, insecure));
    assert.deepEqual(await ask(), { active: false });
  },

  async token_exchange() {
    const { tokens } = await authorizationCode(webClient, secret, web.redirect_uri);
    const parameters = {
      subject_token: tokens.access_token,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      scope: "jobs:read",
    };
    const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    const response = await oauth.genericTokenEndpointRequest(as, webClient, secret, grant, parameters, insecure);
    const exchanged = await oauth.processGenericTokenEndpointResponse(as, webClient, response);
    assert.equal(exchanged.issued_token_type, parameters.subject_token_type);
    assert.equal((await validate(exchanged.access_token)).scope, "jobs:read");
  },
};

await cases[process.argv[2]]();
