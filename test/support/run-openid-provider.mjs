// A real OpenID provider on loopback, for tests of signing in: people are whoever types a name.
//
//   node test/support/run-openid-provider.mjs REDIRECT_URI     prints its issuer in a line, and ends with its input

import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const [, , redirectUri] = process.argv;
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: 'test', alg: 'ES256', use: 'sig' };

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

/** By name: what the provider says of people whom tests need. */
const people = {
  ana: { roles: ['AGENT'], teams: ['cards'] },
  sam: { roles: ['SUPERVISOR'], teams: ['cards'] },
  pip: { roles: ['SERVICE'], teams: [] },
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'counterfoil',
      client_secret: 'a secret of this test alone',
      redirect_uris: [redirectUri],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['of this test'] },
  pkce: { required: () => true },
  acrValues: ['urn:example:mfa'],
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  extraTokenClaims: (context, token) => ({
    ...(people[token.accountId] ?? { roles: [], teams: [] }),
    preferred_username: token.accountId,
    amr: context.oidc.params?.acr_values || token.extra?.mfa ? ['pwd', 'mfa'] : ['pwd'],
    auth_time: Math.floor(Date.now() / 1000),
  }),
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://gateway.example/',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        audience: 'counterfoil',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
server.on('request', provider.callback());

process.stdout.write(`${issuer}\n`);
process.stdin.resume().on('end', () => process.exit(0));
