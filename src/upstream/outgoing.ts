import type { Agent, buildConnector, Dispatcher, EnvHttpProxyAgent } from 'undici';

/** By which way requests of ours leave the network, as the environment says it for all programs. */
export interface Outgoing {
  /** Address of the proxy; null where none is needed. */
  readonly proxy: string | null;
  /** Hosts that are reached without it: names, `.domain`, `host:port`, separated by commas. */
  readonly except: string | null;
}

/** What runs on this machine is never somewhere else. */
const thisMachine = ['localhost', '127.0.0.1', '::1', '[::1]'];

/** How connections are made; `connect` those that go to a host without a proxy between. */
export interface Connecting extends Pick<Agent.Options, 'pipelining'> {
  readonly connect?: buildConnector.BuildOptions;
  /** Of TLS with the host, through the proxy. */
  readonly requestTls?: buildConnector.BuildOptions;
}

/** The package, beside the copy of it within Node: whichever is loaded first says by what every `fetch` of the process goes, and that stays Node's own. */
const undiciBeside = (): typeof import('undici') => {
  // Looked at, Node loads its own.
  void globalThis.Headers;
  return require('undici') as typeof import('undici');
};

/** Goes by the proxy, where there is one, and to what is excepted from it without. */
export const outgoingAgent = ({ proxy, except }: Outgoing, connecting: Connecting = {}): Dispatcher => {
  const undici = undiciBeside();
  if (proxy === null) return new undici.Agent(connecting);
  return new undici.EnvHttpProxyAgent({
    ...connecting,
    httpsProxy: proxy,
    // Plain HTTP is for this machine only; said, so that the environment isn't asked a second time.
    httpProxy: '',
    noProxy: [except, ...thisMachine].filter((each) => each !== null).join(','),
  } satisfies EnvHttpProxyAgent.Options);
};

/**
 * From now on every HTTPS request of the process goes through the proxy: to sources, key sets of issuers, SMS, witnesses. By CONNECT,
 * so that the proxy sees names and no content. Mail doesn't: SMTP isn't HTTP.
 */
export const leaveBy = (outgoing: Outgoing): void => {
  if (outgoing.proxy === null) return;
  undiciBeside().setGlobalDispatcher(outgoingAgent(outgoing));
};
