import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Of oidc-provider, which comes without types: what is used here. */
export interface OidcContext {
  readonly req: IncomingMessage;
  status: number;
  body: unknown;
  set(headers: Readonly<Record<string, string>>): void;
  readonly oidc: {
    readonly provider: OidcProvider;
    readonly client: { readonly clientId: string };
    readonly session: OidcSession;
    readonly acr: string | undefined;
    readonly params?: { readonly acr_values?: string };
    readonly entities: { readonly AuthorizationCode?: OidcSource; readonly RefreshToken?: OidcSource };
  };
}

/** What an access token is made of. */
export interface OidcSource {
  readonly amr?: readonly string[];
  readonly authTime?: number;
  readonly sid?: string;
  readonly grantId?: string;
}

export interface OidcSession {
  readonly accountId?: string;
  readonly authorizations?: Readonly<Record<string, { readonly sid?: string }>>;
  grantIdFor(clientId: string): string | undefined;
  destroy(): Promise<void>;
}

export interface OidcInteraction {
  readonly uid: string;
  readonly exp: number;
  readonly params: { readonly acr_values?: string };
  readonly prompt: { readonly reasons: readonly string[] };
  readonly session?: { uid?: string; readonly accountId?: string };
  save(seconds: number): Promise<void>;
}

interface OidcGrant {
  readonly accountId?: string;
  addOIDCScope(scope: string): void;
  save(): Promise<string>;
}

export interface OidcProvider {
  callback(): RequestListener;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<OidcInteraction>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object, options: object): Promise<void>;
  readonly Client: {
    find(id: string): Promise<{ backchannelLogout(subject: string, sid: string): Promise<void> } | undefined>;
  };
  readonly Grant: {
    new (of: { accountId: string; clientId: string }): OidcGrant;
    find(id: string): Promise<OidcGrant | undefined>;
  };
  readonly Session: { findByUid(uid: string): Promise<OidcSession | undefined> };
}

interface OidcModule {
  readonly Provider: new (issuer: string, configuration: object) => OidcProvider;
  readonly interactionPolicy: {
    readonly Check: new (reason: string, description: string, check: (context: OidcContext) => boolean) => object;
    base(): { get(prompt: string): { readonly checks: { add(check: object): void } } };
  };
}

/** The package, which is there in development alone. */
export const oidc = (): OidcModule => {
  const { warn } = console;
  // It warns of Node 20 as it is loaded. What is used of it works there: the tests run on it.
  console.warn = () => {};
  try {
    return require('oidc-provider') as OidcModule;
  } finally {
    console.warn = warn;
  }
};
