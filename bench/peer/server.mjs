// npm's oidc-provider as it comes, everything in memory: PORT, REDIRECT_URI and SECRET are given by bench/sso.py.
// Whoever comes is signed in without a page, and has agreed: what is measured is single sign-on.
import { generateKeyPair, exportJWK } from 'jose';
import { Provider } from 'oidc-provider';

const { PORT, REDIRECT_URI, SECRET } = process.env;
const issuer = `http://localhost:${PORT}`;
const scope = 'openid profile email';
const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
const signing = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'bench' };

const provider = new Provider(issuer, {
  clients: [{ client_id: 'bench', client_secret: SECRET, redirect_uris: [REDIRECT_URI] }],
  jwks: { keys: [signing] },
  cookies: { keys: [SECRET] },
  pkce: { required: () => true },
  scopes: scope.split(' '),
  claims: {
    openid: ['sub', 'sid', 'auth_time', 'acr', 'amr'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name', 'updated_at'],
  },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount: (_ctx, accountId) => ({
    accountId,
    claims: () => ({
      sub: accountId,
      email: 'jeanne@example.ch',
      email_verified: true,
      name: 'Jeanne Exemple',
      given_name: 'Jeanne',
      family_name: 'Exemple',
      updated_at: 1767225600,
    }),
  }),
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const grant = new provider.Grant({ accountId: 'jeanne', clientId: 'bench' });
  grant.addOIDCScope(scope);
  const result = {
    login: { accountId: 'jeanne', acr: 'urn:peer:acr', amr: ['pwd', 'otp'] },
    consent: { grantId: await grant.save() },
  };
  await provider.interactionFinished(ctx.req, ctx.res, result);
  ctx.respond = false;
});

provider.listen(Number(PORT), '127.0.0.1');
