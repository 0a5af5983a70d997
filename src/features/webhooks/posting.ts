import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import { type ConnectionFault, connectionFaultOf, faultCodeOf } from '../../upstream/connection-fault';
import { type Outgoing, outgoingAgent } from '../../upstream/outgoing';
import { reachableAddresses } from './public-addresses';
import { type SignedMessage, signatureHeaders } from './signing';
import type { WebhookEndpointSection } from './webhooks.section';

/** Milliseconds for the whole of a try: the receiver stores it and answers, and does the rest afterwards. */
const longestTry = 15_000;

/** What came of a try: a status, or a word for why there is none. */
export interface Posted {
  readonly status: number | null;
  /** Null where the message was taken (2xx). */
  readonly fault: 'gone' | 'redirect' | 'status' | 'private-address' | ConnectionFault | null;
}

const privateAddress = 'ERR_PRIVATE_ADDRESS';
const refusal = () => Object.assign(new Error('the name leads to an address that is not public'), { code: privateAddress });

/** Looks a name up, and lets only addresses through that a message may go to: asked where it connects, so that no second answer differs from the first. */
const guardedLookup =
  (mayReach: (address: string) => boolean): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (fault, addresses) => {
      if (fault) return done(fault, []);
      if (addresses.length === 0 || !addresses.every(({ address }) => mayReach(address))) return done(refusal(), []);
      if (options.all) return done(null, addresses);
      const [{ address, family }] = addresses as [(typeof addresses)[number]];
      done(null, address, family);
    });
  };

const statusFault = (status: number): Posted['fault'] => {
  if (status >= 200 && status <= 299) return null;
  if (status === 410) return 'gone';
  return status >= 300 && status <= 399 ? 'redirect' : 'status';
};

/** Sends messages to one endpoint. */
export class Poster {
  private readonly mayReach = reachableAddresses(this.endpoint.networks);
  private agent: Dispatcher | undefined;

  constructor(
    private readonly endpoint: WebhookEndpointSection,
    /** A proxy connects in our place, and then it has to know where nobody may go; what is excepted from it is looked at here. */
    private readonly outgoing: Outgoing,
  ) {}

  /** Tries once. A redirect is never followed: it would lead past what is checked here. */
  async post(message: SignedMessage): Promise<Posted> {
    const { url, keys } = this.endpoint;
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    // An address by itself is never looked up.
    if (isIP(host) !== 0 && !this.mayReach(host)) return { status: null, fault: 'private-address' };
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json', ...signatureHeaders(message, keys) },
        body: message.body,
        redirect: 'manual',
        signal: AbortSignal.timeout(longestTry),
        dispatcher: this.dispatcher(),
      } as unknown as RequestInit);
      await response.body?.cancel().catch(() => {});
      return { status: response.status, fault: statusFault(response.status) };
    } catch (error) {
      return { status: null, fault: faultCodeOf(error) === privateAddress ? 'private-address' : connectionFaultOf(error) };
    }
  }

  async close(): Promise<void> {
    await this.agent?.destroy();
  }

  private dispatcher(): Dispatcher {
    const { ca, url } = this.endpoint;
    const host = new URL(url).hostname;
    const tls = ca === undefined ? {} : { ca };
    this.agent ??= outgoingAgent(this.outgoing, {
      connect: { lookup: guardedLookup(this.mayReach), ...tls },
      requestTls: { ...tls, ...(isIP(host.replace(/^\[|\]$/g, '')) === 0 ? { servername: host } : {}) },
      // What was checked is this connection: it isn't kept for the next message.
      pipelining: 0,
    });
    return this.agent;
  }
}
