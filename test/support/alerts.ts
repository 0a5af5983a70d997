import type { AlertDraft, Raised } from '../../src/features/alerts/raising';
import { raise } from '../../src/features/alerts/raising';
import type { TestApp } from './app';

/** Facts as a rule gives them. */
export const attempts: AlertDraft['reasons'] = [
  { code: 'ATTEMPTS', count: 4, windowSeconds: 3_600 },
  { code: 'COUNTRIES', count: 2, windowSeconds: 3_600, countries: ['NG', 'BR'] },
];

/** Whom a ticket is about. */
export const customerOf = async ({ app }: TestApp, reference: string): Promise<string> => {
  const [row] = await app.database.query<{ customer_id: string }>('SELECT customer_id FROM helpdesk_ticket WHERE reference = ?', [
    reference,
  ]);
  if (!row) throw new Error('no such ticket is stored');
  return row.customer_id;
};

/** A draft about the customer of a ticket, told on their open ticket. */
export const draftOn = async (test: TestApp, reference: string, given: Partial<AlertDraft> = {}): Promise<AlertDraft> => ({
  rule: 'retries-elsewhere',
  version: 1,
  severity: 'MEDIUM',
  customerId: await customerOf(test, reference),
  ticketId: null,
  staffId: null,
  subject: reference,
  window: '1',
  reasons: attempts,
  signals: ['demo-pay/evt_1', 'demo-pay/evt_2'],
  ...given,
});

/** What a rule does when it fires. */
export const raiseOn = async (test: TestApp, reference: string, given: Partial<AlertDraft> = {}): Promise<Raised> => {
  const draft = await draftOn(test, reference, given);
  return test.app.database.system('worker', 'alert.raise', (change) => raise(change, test.keys, draft));
};

/** The id of an alert that was raised. */
export const raised = (outcome: Raised): string => {
  if (!('id' in outcome)) throw new Error(outcome.outcome);
  return outcome.id;
};
