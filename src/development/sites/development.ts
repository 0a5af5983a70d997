import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { browserClient, type DevelopmentIssuer, openDevelopmentIssuer } from '../issuer/development-issuer';
import type { MockHelpdesk } from './helpdesk/mock-helpdesk';
import { LoopbackSite } from './loopback-site';

const openIdProviders = () => require('./sign-in/openid-provider') as typeof import('./sign-in/openid-provider');
const helpdesks = () => require('./helpdesk/mock-helpdesk') as typeof import('./helpdesk/mock-helpdesk');

/** Also in the redirect URI. */
const providerId = 'demo';

/**
 * What development has beside the gateway: the issuer of the demo people’s tokens and, each at an address of its own, their OpenID provider and
 * a helpdesk with the panel.
 */
export class Development {
  private readonly clientSecret = randomBytes(32).toString('base64url');
  private provider: { readonly listener: RequestListener; close(): void } | null = null;
  private readonly signInSite = new LoopbackSite('127.0.0.1');
  // Another site than the gateway, to a browser, as a merchant's helpdesk is.
  private readonly helpdeskSite = new LoopbackSite('localhost');

  constructor(
    readonly issuer: DevelopmentIssuer,
    private readonly dataFolder: string,
  ) {}

  /** How people sign in with a browser where nothing else is configured. */
  get signIn() {
    return {
      providers: [
        {
          id: providerId,
          issuer: this.issuer.name,
          name: 'Demo people',
          clientId: browserClient,
          clientSecret: this.clientSecret,
          scope: ['openid'],
          secondFactor: ['urn:counterfoil:second-factor'],
        },
      ],
      idleMinutes: 15,
      hours: 8,
    };
  }

  /** Where the provider says what it offers: not at the address that its name is. `gateway`: its address, as browsers have it. */
  async metadataAddress(gateway: string): Promise<string> {
    const address = await this.signInSite.address(() => {
      this.provider = openIdProviders().openIdProvider({
        issuer: this.issuer,
        client: { id: browserClient, secret: this.clientSecret, redirectUri: `${gateway}/sign-in/back/${providerId}` },
        gateway,
        file: join(this.dataFolder, 'keys', 'development-sign-ins.json'),
      });
      return this.provider.listener;
    });
    return `${address}/.well-known/openid-configuration`;
  }

  /** Where the helpdesk is that has the panel in its pages. */
  helpdesk(desk: MockHelpdesk): Promise<string> {
    return this.helpdeskSite.address(() => helpdesks().mockHelpdesk(desk));
  }

  /** Which pages may hold the panel for this source, where nothing is configured: those of the helpdesk, once it is there. */
  embedOf(source: string) {
    const { helpdeskSite } = this;
    return {
      source,
      get origins() {
        return helpdeskSite.current === null ? [] : [helpdeskSite.current];
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.signInSite.close(), this.helpdeskSite.close()]);
    this.provider?.close();
  }
}

/** The development of this data folder, as its gateway has it. */
export const openDevelopment = async (dataFolder: string, clock: () => Date): Promise<Development> =>
  new Development(await openDevelopmentIssuer(dataFolder, clock), dataFolder);
