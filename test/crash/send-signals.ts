import { randomUUID } from 'node:crypto';
import { webhookKey } from '../../src/features/signals/receive/standard-webhooks';
import { signatureHeaders } from '../../src/features/webhooks/signing';

/** The secret of a sender, or of an endpoint, of this name. */
export const secretOf = (name: string) => `whsec_${Buffer.from(`a secret of ${name}, for crash tests`).toString('base64')}`;

/** Sends signals to a gateway as a shop or a desk does. Null where no answer came within so many milliseconds. */
export const sendSignals = async (
  address: string,
  source: string,
  signals: readonly object[],
  patience: number,
): Promise<number | null> => {
  const events = signals.map((data, index) => ({
    specversion: '1.0',
    id: `event-${index}`,
    type: 'signal',
    datacontenttype: 'application/json',
    data,
  }));
  const body = JSON.stringify(events);
  const key = webhookKey(secretOf(source)) as Buffer;
  const signed = signatureHeaders({ id: `msg_${randomUUID()}`, at: new Date(), body }, [key]);
  try {
    const response = await fetch(`${address}/signals/${source}`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json', ...signed },
      body,
      signal: AbortSignal.timeout(patience),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
};
