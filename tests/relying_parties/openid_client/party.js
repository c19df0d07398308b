// One relying party on openid-client: reads its registration from the first line, then does what each line says.
import * as readline from "node:readline";
import * as client from "openid-client";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const setup = await next();
const key =
  setup.key &&
  (await crypto.subtle.importKey("jwk", setup.key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]));
const signer = key && { key, kid: setup.key.kid };
const ways = {
  client_secret_basic: () => client.ClientSecretBasic(setup.secret),
  client_secret_post: () => client.ClientSecretPost(setup.secret),
  private_key_jwt: () => client.PrivateKeyJwt(signer),
  none: () => client.None(),
};
const issuer = new URL(setup.issuer);
const execute = [client.allowInsecureRequests];
const config = setup.register
  ? await client.dynamicClientRegistration(issuer, setup.register, undefined, { execute, initialAccessToken: setup.token })
  : await client.discovery(issuer, setup.client_id, setup.metadata, ways[setup.way](), { execute });

const DPoP = setup.dpop && client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
const bound = DPoP ? { DPoP } : undefined;
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
let tokens, subject;

const acts = {
  async begin({ how, parameters }) {
    const asked = {
      redirect_uri: setup.redirect_uri,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
      state: expectedState,
      nonce: expectedNonce,
      ...parameters,
    };
    const build = {
      plain: () => client.buildAuthorizationUrl(config, asked),
      pushed: () => client.buildAuthorizationUrlWithPAR(config, asked, bound),
      signed: () => client.buildAuthorizationUrlWithJAR(config, asked, signer),
    };
    return { url: (await build[how]()).href };
  },
  async finish({ url, parameters }) {
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
    tokens = await client.authorizationCodeGrant(config, new URL(url), checks, parameters, bound);
    subject = tokens.claims().sub;
    return { tokens, claims: tokens.claims() };
  },
  async userinfo() {
    return client.fetchUserInfo(config, tokens.access_token, subject, bound);
  },
  async refresh({ parameters }) {
    tokens = { ...tokens, ...(await client.refreshTokenGrant(config, tokens.refresh_token, parameters, bound)) };
    return tokens;
  },
  async own({ parameters }) {
    return client.clientCredentialsGrant(config, parameters, bound);
  },
  async introspect({ token }) {
    return client.tokenIntrospection(config, token);
  },
  async revoke({ token }) {
    await client.tokenRevocation(config, token);
    return {};
  },
  async registered() {
    return config.clientMetadata();
  },
  async goodbye({ parameters }) {
    return { url: client.buildEndSessionUrl(config, parameters).href };
  },
};

say({ issuer: config.serverMetadata().issuer });
for (let line = await next(); line.act; line = await next()) {
  try {
    say(await acts[line.act](line));
  } catch (error) {
    say({ error: error.error ?? error.code ?? String(error), why: error.error_description ?? String(error.cause ?? "") });
  }
}
process.stdin.destroy();
