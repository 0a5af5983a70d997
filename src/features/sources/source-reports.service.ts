import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select, wholeNumber } from '../../db/table';
import type { LinkingCount } from '../customers/linking';
import { type SourceHealth, standingOf } from './registry';
import { webhookReceipts as receipts } from './source.entity';
import { SourceReport } from './source.type';
import type { SweepProgress } from './sweep';

const n = wholeNumber(sql`COUNT(*)`);
const waiting = select({ ...receipts.pick('source', 'state'), n }, sql`FROM ${receipts}`);

/** What is known of the sources, each by its name. */
interface Known {
  health(): Promise<readonly SourceHealth[]>;
  textsCompared(): Promise<readonly SweepProgress[]>;
  unlinkedCustomers(): Promise<readonly LinkingCount[]>;
}

/** How each source is doing, out of what is stored: no source is asked for it. */
export class SourceReports {
  constructor(
    private readonly database: Pick<Reads, 'read'>,
    private readonly sources: Known,
    private readonly clock: () => Date,
  ) {}

  /** In the order of the configuration, helpdesks first. */
  async all(): Promise<readonly SourceReport[]> {
    const [states, texts, unlinked, webhooks] = await Promise.all([
      this.sources.health(),
      this.sources.textsCompared(),
      this.sources.unlinkedCustomers(),
      this.database.read(
        waiting,
        sql`WHERE ${receipts.state} IN ('PENDING', 'UNKNOWN') GROUP BY ${receipts.source}, ${receipts.state}`,
      ),
    ]);
    const now = this.clock();
    const countOf = (source: string, state: string) =>
      webhooks.find((each) => each.source === source && each.state === state)?.n ?? 0;
    return states.map(
      (health) =>
        new SourceReport({
          health,
          standing: standingOf(health, now),
          texts: texts.find(({ source }) => source === health.name) ?? null,
          unlinked: unlinked.find(({ source }) => source === health.name) ?? null,
          webhooksPending: countOf(health.name, 'PENDING'),
          webhooksUnknown: countOf(health.name, 'UNKNOWN'),
        }),
    );
  }
}
