/** By which way requests of ours leave the network, as the environment says it for all programs. */
export interface Outgoing {
  /** Address of the proxy; null where none is needed. */
  readonly proxy: string | null;
  /** Hosts that are reached without it: names, `.domain`, `host:port`, separated by commas. */
  readonly except: string | null;
}

/** What runs on this machine is never somewhere else. */
const thisMachine = ['localhost', '127.0.0.1', '::1', '[::1]'];

/**
 * From now on every HTTPS request of the process goes through the proxy: to sources, key sets of issuers, SMS, witnesses. By CONNECT,
 * so that the proxy sees names and no content. Mail doesn't: SMTP isn't HTTP.
 */
export const leaveBy = ({ proxy, except }: Outgoing): void => {
  if (proxy === null) return;
  const { EnvHttpProxyAgent, setGlobalDispatcher } = require('undici') as typeof import('undici');
  setGlobalDispatcher(
    new EnvHttpProxyAgent({
      httpsProxy: proxy,
      // Plain HTTP is for this machine only; said, so that the environment isn't asked a second time.
      httpProxy: '',
      noProxy: [except, ...thisMachine].filter((each) => each !== null).join(','),
    }),
  );
};
