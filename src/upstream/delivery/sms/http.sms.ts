import { connectionFaultOf } from '../../connection-fault';
import { DeliveryFailed, type ShortMessage, type ShortMessageChannel } from '../delivery.port';
import { e164Of, isOneTelephoneNumber } from '../recipient';

/** A value of the request's body. `{to}` and `{text}` in a text stand for the number and the message; nothing else is special. */
export type SmsBodyValue = string | number | boolean | readonly SmsBodyValue[] | { readonly [name: string]: SmsBodyValue };

export interface HttpShortMessagesOptions {
  /** https, unless on this machine. */
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: 'json' | 'form';
  /** Names are sent as they stand. A form takes texts, numbers and booleans only. */
  readonly body: Readonly<Record<string, SmsBodyValue>>;
  /** `e164`: `+4915123456789`; `digits`: the same without the plus. A number in no international form is then rejected. As it is held, when left out. */
  readonly phone?: 'e164' | 'digits' | undefined;
  /** Milliseconds for the whole call. */
  readonly timeout?: number;
}

export const defaultSmsTimeout = 10_000;

const contentTypes = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const;

/** In one pass, so that a message that contains `{to}` stays what it is. */
const filledText = (template: string, { to, text }: ShortMessage): string =>
  template.replace(/\{(to|text)\}/g, (_all, name) => (name === 'to' ? to : text));

const filled = (value: SmsBodyValue, message: ShortMessage): SmsBodyValue => {
  if (typeof value === 'string') return filledText(value, message);
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each: SmsBodyValue) => filled(each, message));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, filled(each, message)]));
};

/** Values are filled in before they are encoded: what a message holds can't become structure. */
const encoded = ({ contentType, body }: HttpShortMessagesOptions, message: ShortMessage): string => {
  const values = filled(body, message) as Record<string, SmsBodyValue>;
  if (contentType === 'json') return JSON.stringify(values);
  return new URLSearchParams(Object.entries(values).map(([name, value]): [string, string] => [name, String(value)])).toString();
};

const reasonOf = (status: number): DeliveryFailed['why'] => {
  if (status === 408 || status === 429 || status >= 500) return 'fault';
  return [400, 404, 422].includes(status) ? 'rejected' : 'refused';
};

/** What a fault of the connection means for the message: every end of it but these may have come after the message was taken. */
const reasons = { timeout: 'timeout', unreachable: 'unreachable', certificate: 'refused', connection: 'fault' } as const;

/**
 * Short messages through the HTTP interface of a gateway, whose request the configuration describes. Any 2xx means that it
 * took the message; its answer isn't read, and a redirect is never followed, because it would carry the message elsewhere.
 */
export class HttpShortMessages implements ShortMessageChannel {
  constructor(private readonly options: HttpShortMessagesOptions) {}

  async send({ to, text }: ShortMessage): Promise<void> {
    const { url, method, headers, contentType, timeout = defaultSmsTimeout } = this.options;
    const number = this.numberOf(to);
    if (number === null) throw new DeliveryFailed('sms', 'rejected');
    let status: number;
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers, 'content-type': contentTypes[contentType] },
        body: encoded(this.options, { to: number, text }),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeout),
      });
      ({ status } = response);
      // The status has decided; how the rest of the answer ends changes nothing.
      await response.body?.cancel().catch(() => {});
    } catch (fault) {
      throw new DeliveryFailed('sms', reasons[connectionFaultOf(fault)]);
    }
    if (status < 200 || status > 299) throw new DeliveryFailed('sms', reasonOf(status));
  }

  private numberOf(to: string): string | null {
    const { phone } = this.options;
    if (phone === undefined) return isOneTelephoneNumber(to) ? to : null;
    const number = e164Of(to);
    return phone === 'digits' ? (number?.slice(1) ?? null) : number;
  }
}
