/** All in milliseconds. */
export interface SmtpTimeouts {
  /** Until the connection stands, its name looked up. */
  readonly connection: number;
  /** Until the server greets, and for a change to TLS. */
  readonly greeting: number;
  /** Without a word of the server. */
  readonly socket: number;
  /** For everything, so that a server that says a word now and then holds nothing up. */
  readonly whole: number;
}

export const defaultSmtpTimeouts: SmtpTimeouts = { connection: 10_000, greeting: 10_000, socket: 20_000, whole: 30_000 };
