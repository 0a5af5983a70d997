import { createHash } from 'node:crypto';
import { canonicalize } from '../../audit/canonical';
import { auditEvents } from '../../db/audit.entity';
import type { Database } from '../../db/database';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { describeError } from '../../log';
import type { RulesFile } from '../../risk/rules-file';
import type { Core } from '../core';
import type { Signals } from '../signals/signals.service';
import { ChangesAgainstHistory } from './changes-against-history';
import { RuleWatch, type RuleWatchParts } from './verdicts';

const subjects = select(auditEvents.pick('subjectId'), sql`FROM ${auditEvents}`);

/** What a file means, by SHA-256 in hexadecimal: comments, order and formatting don't change it. */
const digestOf = ({ settings, sharedMailDomains }: RulesFile): string =>
  createHash('sha256')
    .update(
      canonicalize([
        settings.map(({ rule, mode, effects, thresholds }) => [
          rule.name,
          rule.version,
          mode,
          [...effects].sort(),
          thresholds as never,
        ]),
        [...sharedMailDomains].sort(),
      ]),
    )
    .digest('hex');

/** Rules that came into force are an event, so that what a verdict says can be compared with what was asked for then. */
const recordRules = (database: Database, file: RulesFile): Promise<void> =>
  database.system('start', 'rules.in-force', async (change) => {
    const { subjectType, at, id } = auditEvents;
    const digest = digestOf(file);
    const [newest] = await change.read(subjects, sql`WHERE ${subjectType} = 'Rules' ORDER BY ${at} DESC, ${id} DESC LIMIT 1`);
    if (newest?.subjectId === digest) return;
    const called = (mode: string) => file.settings.flatMap((each) => (each.mode === mode ? [each.rule.name] : []));
    change.record('rules.in-force', {
      subject: { type: 'Rules', id: digest },
      detail: { on: called('ON'), shadow: called('SHADOW') },
    });
  });

export interface RuleParts
  extends Pick<
    RuleWatchParts,
    | 'file'
    | 'history'
    | 'brakes'
    | 'holds'
    | 'holdsOfSenders'
    | 'invitations'
    | 'outreach'
    | 'sessions'
    | 'stepUps'
    | 'namesOfCustomer'
  > {
  readonly signals: Signals;
}

/** The rules over signals, as the file sets them: evaluated over the feed, and shown. */
export const createRules = async ({ database, keys, clock, log }: Core, { signals, ...parts }: RuleParts) => {
  const { file, history } = parts;
  await recordRules(database, file);
  const onUnjudged = (signal: string, error: unknown) =>
    log.error({ signal, error: describeError(error) }, 'the rules could not be asked about a signal; it was passed over');
  const onSpentSender = (source: string) =>
    log.error(
      { source },
      'as many holds were placed within a day as one sender of signals may have (holdsADay): a hold was proposed instead',
    );
  signals.consume(new RuleWatch({ keys, onUnjudged, onSpentSender, ...parts }));
  return { file, changes: new ChangesAgainstHistory(file, history, clock) };
};
