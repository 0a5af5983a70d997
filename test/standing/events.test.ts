import { readFileSync } from 'node:fs';
import { canonicalize } from '../../src/audit/canonical';
import { finalizeEvent } from '../../src/audit/event';
import { draftOf, type LogEvent } from '../../src/audit/events';
import { catalogueTable } from '../../src/audit/events-table';
import type { Change } from '../../src/db/change';
import { misfitOf } from '../support/catalogued';

const actor = { id: 'act_1', kind: 'staff', roles: ['AGENT'] };
const at = new Date(0);
const leafOf = (event: LogEvent): Record<string, unknown> =>
  JSON.parse(finalizeEvent(draftOf(event), 'atx_1', 0, at).leaf.toString('utf8')) as Record<string, unknown>;

describe('the catalogue of events', () => {
  it('is the table that docs/audit.md shows', () => {
    const [, table] =
      /<!-- events: [^>]*-->\n\n([\s\S]*?)\n\n<!-- \/events -->/.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
    expect(table).toBe(catalogueTable());
  });

  it('has one sentence for the auditor about each event', () => {
    const sentences = catalogueTable()
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | ').at(-1));
    expect(sentences.filter((sentence) => !/^\S.*[.] \|$/.test(sentence ?? ''))).toEqual([]);
  });

  it('doesn’t compile a name, a subject or a detail that it doesn’t have', () => {
    const record = (change: Pick<Change, 'record'>): void => {
      const subject = { type: 'Assistance', id: 'ast_1' } as const;
      change.record('assistance.end', { subject, detail: { reason: 'EXPIRED', of: 'act_1' } });
      // @ts-expect-error the name is misspelt
      change.record('assistance.ends', { subject, detail: { reason: 'EXPIRED', of: 'act_1' } });
      // @ts-expect-error a fact is missing
      change.record('assistance.end', { subject, detail: { reason: 'EXPIRED' } });
      // @ts-expect-error there is no detail
      change.record('assistance.end', { subject });
      // @ts-expect-error a fact is another's
      change.record('assistance.end', { subject, detail: { reason: 'EXPIRED', of: 'act_1', tries: 1 } });
      // @ts-expect-error it is about something else
      change.record('assistance.end', { subject: { type: 'Ticket', id: 'tkt_1' }, detail: { reason: 'EXPIRED', of: 'act_1' } });
      // @ts-expect-error it is about nothing
      change.record('assistance.end', { detail: { reason: 'EXPIRED', of: 'act_1' } });
    };
    const events: LogEvent[] = [
      { action: 'secret.create', actor, subject: { type: 'Secret', id: 'name' } },
      // @ts-expect-error it has no detail
      { action: 'secret.create', actor, subject: { type: 'Secret', id: 'name' }, detail: { count: 1 } },
      // @ts-expect-error it is about nothing
      { action: 'log.time', actor, subject: { type: 'Policy', id: 'digest' } },
    ];
    expect(() => record({ record: () => undefined })).not.toThrow();
    expect(events.map(leafOf).map(misfitOf)).toEqual([null, 'secret.create states count', 'log.time is about Policy']);
  });

  it('says of each event whether it happened or was tried in vain', () => {
    const denial = { rule: 'Ticket.messages', reason: 'NO_ASSISTANCE', count: 1 };
    expect(draftOf({ action: 'denial', actor, detail: denial }).outcome).toBe('DENIED');
    expect(draftOf({ action: 'log.time', actor }).outcome).toBe('ALLOWED');
  });

  it('leaves the bytes of a leaf as they were before there was one', () => {
    const salted = finalizeEvent(
      draftOf({
        action: 'assistance.end',
        actor,
        ticketId: 'tkt_1',
        assistanceId: 'ast_1',
        subject: { type: 'Assistance', id: 'ast_1' },
        detail: { reason: 'EXPIRED', of: 'act_2' },
      }),
      'atx_1',
      3,
      at,
    );
    const { salt, id } = JSON.parse(salted.leaf.toString('utf8')) as { salt: string; id: string };
    expect(salted.leaf.toString('utf8')).toBe(
      canonicalize({
        v: 1,
        id,
        tx: 'atx_1',
        ordinal: 3,
        at: '1970-01-01T00:00:00.000Z',
        action: 'assistance.end',
        outcome: 'ALLOWED',
        actor,
        ticket: 'tkt_1',
        assistance: 'ast_1',
        subject: { type: 'Assistance', id: 'ast_1' },
        salt,
        customers: [],
        notes: {},
        detail: { reason: 'EXPIRED', of: 'act_2' },
      }),
    );
  });
});
