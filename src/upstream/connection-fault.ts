/** Why no answer came: how far a request got. Only before `connection` is it sure that nothing was sent. */
export type ConnectionFault = 'timeout' | 'unreachable' | 'certificate' | 'connection';

/** Faults that come before anything was sent. */
const unreached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/** The code of the fault behind an error of `fetch`; empty where it has none. */
export const faultCodeOf = (error: unknown): string =>
  (error as { readonly cause?: { readonly code?: string } }).cause?.code ?? '';

/** What an error of `fetch` means: by Node's, undici's and OpenSSL's codes. */
export const connectionFaultOf = (error: unknown): ConnectionFault => {
  const code = faultCodeOf(error);
  if ((error as { readonly name?: string }).name === 'TimeoutError') return 'timeout';
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout';
  if (unreached.has(code)) return 'unreachable';
  // A certificate that isn't trusted (node:tls, "X509 certificate error codes"), or no TLS at all.
  return /CERT|SSL|SELF_SIGNED|ISSUER|SIGNATURE|^INVALID_CA|^INVALID_PURPOSE|^HOSTNAME_MISMATCH|^EPROTO$/.test(code)
    ? 'certificate'
    : 'connection';
};
