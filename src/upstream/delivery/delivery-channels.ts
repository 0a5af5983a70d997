import type { DeliveryChannels } from './delivery.port';
import { HttpShortMessages } from './sms/http.sms';
import type { HttpSmsSection } from './sms/sms.section';
import type { SmtpSection } from './smtp/smtp.section';

export interface DeliverySettings {
  readonly production: boolean;
  /** What sends; null where nothing does, or files take its place. `folder` is where those are. */
  readonly delivery: { readonly mail: SmtpSection | null; readonly sms: HttpSmsSection | null; readonly folder: string };
  /** By which channels customers can be reached. */
  readonly channels: { readonly mail: boolean; readonly sms: boolean };
}

const smtp = () => require('./smtp/smtp.mail') as typeof import('./smtp/smtp.mail');
const outbox = () => require('../../development/outbox/outbox-files') as typeof import('../../development/outbox/outbox-files');

/** What reaches customers. Files stand in where development sends nothing; production has what it is configured for. */
export const deliveryChannels = (
  { production, delivery, channels }: DeliverySettings,
  clock = () => new Date(),
): DeliveryChannels => {
  const files = { mail: channels.mail && !production, sms: channels.sms && !production };
  return {
    mail: delivery.mail
      ? new (smtp().SmtpMail)(delivery.mail)
      : files.mail
        ? new (outbox().OutboxMail)(delivery.folder, clock)
        : null,
    sms: delivery.sms
      ? new HttpShortMessages(delivery.sms)
      : files.sms
        ? new (outbox().OutboxShortMessages)(delivery.folder, clock)
        : null,
  };
};
