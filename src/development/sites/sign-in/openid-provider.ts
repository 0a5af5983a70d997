import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parseForm } from '../../../http/form';
import { Markup } from '../../../http/html';
import type { DevelopmentIssuer } from '../../issuer/development-issuer';
import type { DevelopmentPerson } from '../../issuer/development-people';
import { Kept } from './kept';
import { type OidcContext, type OidcInteraction, type OidcProvider, oidc } from './oidc';
import { codePage, homePage, overPage, personPage, type SignInPage, signedOutPage, signOutPage } from './pages';
import { isTotp, totp } from './totp';

/** The authentication context class of a session with a second factor. */
export const secondFactorClass = 'urn:counterfoil:second-factor';

/** Seconds. */
const lifeOf = { accessToken: 600, code: 60, interaction: 600, session: 8 * 3_600 };
/** Largest form, in bytes. */
const largestForm = 4 * 1024;

export interface OpenIdProviderOptions {
  readonly issuer: DevelopmentIssuer;
  /** The gateway, as a client. */
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUri: string };
  /** Address of the gateway, as browsers have it. */
  readonly gateway: string;
  /** What it keeps. */
  readonly file: string;
}

/** The name under which access tokens are asked for: there is one resource, and nobody has to name it (RFC 8707). */
const resource = 'https://counterfoil.invalid/graph';

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, string>>> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > largestForm) throw new Error('the form is too long');
    chunks.push(chunk);
  }
  return parseForm(Buffer.concat(chunks).toString('utf8'));
};

/** By which a browser is known again: it is what there is of a device here. */
const deviceCookie = 'counterfoil-demo-device';
const deviceIn = (request: IncomingMessage): string | null =>
  new RegExp(`(?:^|; )${deviceCookie}=([0-9a-f-]{36})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1] ?? null;

/**
 * An OpenID provider for the demo people (OpenID Connect Core 1.0, RP-Initiated and Back-Channel Logout 1.0, RFC 7636, RFC 9068): in the name
 * and with the key of the development issuer, so that whoever comes by it is who comes by a token of that one. `close` writes what isn't written yet.
 */
export const openIdProvider = ({ issuer, client, gateway, file }: OpenIdProviderOptions) => {
  const { key } = issuer;
  const kept = new Kept(file);
  const devices = kept.ofKind('Device');
  const secretOf = ({ user }: DevelopmentPerson): Buffer => createHmac('sha256', key.d).update(`totp ${user}`).digest();
  const personNamed = (user: string | undefined): DevelopmentPerson | undefined =>
    issuer.people.find((each) => each.user === user);
  const { Provider, interactionPolicy } = oidc();

  const policy = interactionPolicy.base();
  policy
    .get('login')
    .checks.add(
      new interactionPolicy.Check(
        'second_factor',
        'a second factor was asked for',
        ({ oidc: { acr, params } }) => isSecondFactorAsked(params) && acr !== secondFactorClass,
      ),
    );

  const show = (context: OidcContext, { headers, text }: SignInPage, status = 200): void => {
    context.status = status;
    context.set(headers);
    context.body = text;
  };

  const provider: OidcProvider = new Provider(issuer.name, {
    adapter: (kind: string) => kept.ofKind(kind),
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: 'ES256',
        post_logout_redirect_uris: [`${gateway}/`],
        backchannel_logout_uri: `${gateway}/oidc/back-channel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] },
    cookies: {
      keys: [Buffer.from(hkdfSync('sha256', key.d, '', 'cookies of the development provider', 32)).toString('base64url')],
      // One host has the cookies of all its ports.
      names: { session: 'counterfoil-demo', interaction: 'counterfoil-demo-interaction', resume: 'counterfoil-demo-resume' },
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    pkce: { required: () => true },
    acrValues: [secondFactorClass],
    scopes: ['openid'],
    clientBasedCORS: () => false,
    findAccount: (_context: OidcContext, user: string) => personNamed(user) && { accountId: user, claims: () => ({ sub: user }) },
    interactions: { policy, url: (_context: OidcContext, { uid }: OidcInteraction) => `/interaction/${uid}` },
    // Whoever signs in has agreed: the gateway is the only client.
    loadExistingGrant: async ({
      req,
      oidc: {
        client: { clientId },
        session,
      },
    }: OidcContext) => {
      const known = session.grantIdFor(clientId);
      const former = known === undefined ? undefined : await provider.Grant.find(known);
      if (former && former.accountId === session.accountId) return former;
      const grant = new provider.Grant({ accountId: session.accountId ?? '', clientId });
      grant.addOIDCScope('openid');
      await devices.upsert(await grant.save(), { device: deviceIn(req) }, lifeOf.session);
      return grant;
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    extraTokenClaims: async ({ oidc: { entities } }: OidcContext, { accountId }: { readonly accountId: string }) => {
      const person = personNamed(accountId);
      const { amr = ['pwd'], authTime, sid, grantId = '' } = entities.AuthorizationCode ?? entities.RefreshToken ?? {};
      const device = (await devices.find(grantId))?.device;
      return {
        roles: [...(person?.roles ?? [])],
        teams: [...(person?.teams ?? [])],
        preferred_username: accountId,
        amr: [...amr],
        ...(authTime === undefined ? {} : { auth_time: authTime }),
        ...(sid === undefined ? {} : { sid }),
        ...(typeof device === 'string' ? { device } : {}),
      };
    },
    ttl: {
      AccessToken: lifeOf.accessToken,
      AuthorizationCode: lifeOf.code,
      IdToken: lifeOf.accessToken,
      Interaction: lifeOf.interaction,
      Session: lifeOf.session,
      Grant: lifeOf.session,
      RefreshToken: lifeOf.session,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: OidcContext, form: string) =>
          show(context, signOutPage(context.oidc.session.accountId ?? '', gateway, new Markup(form))),
        postLogoutSuccessSource: (context: OidcContext) => show(context, signedOutPage(gateway)),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience: issuer.audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifeOf.accessToken,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    renderError: (context: OidcContext, { error_description: why = '' }: { readonly error_description?: string }) =>
      show(context, overPage(gateway, `The identity provider refused what it was asked: ${why}.`), context.status),
    // It would refuse to ask an address of this machine, and the gateway is at one. It asks no other.
    fetch: (url: string, { dispatcher: _, ...options }: RequestInit & { readonly dispatcher?: unknown }) => fetch(url, options),
  });

  const send = (response: ServerResponse, { headers, text }: SignInPage, status = 200): void => {
    response.writeHead(status, headers).end(text);
  };

  /** The browser's former session, where it is somebody else's: it ends here and, by back-channel logout, at the gateway. */
  const endFormer = async (interaction: OidcInteraction, person: DevelopmentPerson): Promise<void> => {
    const { session } = interaction;
    if (session?.uid === undefined || session.accountId === person.user) return;
    const former = await provider.Session.findByUid(session.uid);
    for (const [clientId, { sid }] of Object.entries(former?.authorizations ?? {}))
      if (former?.accountId !== undefined && sid !== undefined)
        await (await provider.Client.find(clientId))?.backchannelLogout(former.accountId, sid).catch(() => undefined);
    await former?.destroy();
    // What goes on belongs to the session that begins now.
    delete session.uid;
    await interaction.save(interaction.exp - Math.floor(Date.now() / 1_000));
  };

  /** Shows what an interaction asks for, and takes the answers. */
  const interact = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let interaction: OidcInteraction;
    try {
      interaction = await provider.interactionDetails(request, response);
    } catch {
      return send(response, overPage(gateway, 'It was finished, took too long, or began in another browser.'), 400);
    }
    const finish = (result: object) =>
      provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    const isNeeded = isSecondFactorAsked(interaction.params);
    const askCode = (person: DevelopmentPerson, isWrong: boolean) =>
      send(
        response,
        codePage({ person, gateway, ...totp(secretOf(person), new Date()), isNeeded, isWrong }),
        isWrong ? 422 : 200,
      );
    const askPerson = () => send(response, personPage({ people: issuer.people, gateway }));

    if (request.method !== 'POST') {
      // Somebody is known, and lacks the second factor alone.
      const known = personNamed(interaction.session?.accountId);
      const { reasons } = interaction.prompt;
      return known && reasons.every((reason) => reason === 'second_factor') ? askCode(known, false) : askPerson();
    }
    const { act, person: user, code = '' } = await bodyOf(request);
    if (act === 'cancel') return finish({ error: 'access_denied', error_description: 'somebody chose not to sign in' });
    const person = personNamed(user);
    if (act === 'other' || !person) return askPerson();
    if (act === undefined || (act === 'without' && isNeeded)) return askCode(person, false);
    const hasSecondFactor = act === 'code';
    if (hasSecondFactor && !isTotp(secretOf(person), code.trim(), new Date())) return askCode(person, true);
    await endFormer(interaction, person);
    response.setHeader(
      'set-cookie',
      `${deviceCookie}=${deviceIn(request) ?? randomUUID()}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`,
    );
    await finish({
      login: {
        accountId: person.user,
        amr: hasSecondFactor ? ['pwd', 'otp', 'mfa'] : ['pwd'],
        ...(hasSecondFactor ? { acr: secondFactorClass } : {}),
      },
    });
  };

  const answer = provider.callback();
  const listener: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://own.invalid');
    if (pathname === '/') return send(response, homePage(gateway));
    if (!pathname.startsWith('/interaction/')) return answer(request, response);
    interact(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else send(response, overPage(gateway, 'What was sent is no answer of this page.'), 400);
    });
  };
  return { listener, close: () => kept.close() };
};

const isSecondFactorAsked = (params: { readonly acr_values?: string } | undefined): boolean =>
  (params?.acr_values ?? '').split(' ').includes(secondFactorClass);
