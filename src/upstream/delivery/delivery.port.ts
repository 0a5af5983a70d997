/**
 * Ways to reach a customer outside the helpdesk. What is sent here is what a confirmation rests on (a link, a code): a
 * channel keeps none of it, logs none of it, and names neither recipient nor text in an error.
 */
export interface Mail {
  /** One address, normalized. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface ShortMessage {
  /** A telephone number as the payment side holds it, E.164 where it is one. */
  readonly to: string;
  readonly text: string;
}

export interface MailChannel {
  /** Resolves once the mail server took responsibility. Throws `DeliveryFailed`. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

export interface ShortMessageChannel {
  /** Resolves once the gateway took it. Throws `DeliveryFailed`. */
  send(message: ShortMessage): Promise<void>;
}

export interface DeliveryChannels {
  /** Null where none is configured. */
  readonly mail: MailChannel | null;
  readonly sms: ShortMessageChannel | null;
}

/** A message did not leave, or nobody knows whether it did. */
export class DeliveryFailed extends Error {
  constructor(
    readonly channel: 'mail' | 'sms',
    /** `rejected`: this recipient or message, for good. `refused`: our account or settings. The rest may pass later. */
    readonly why: 'rejected' | 'refused' | 'unreachable' | 'timeout' | 'fault',
  ) {
    super(`delivery by ${channel}: ${why}`);
    this.name = 'DeliveryFailed';
  }

  /** Trying again changes nothing. */
  get isFinal(): boolean {
    return this.why === 'rejected';
  }
}
