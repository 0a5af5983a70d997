import { Outbox } from '../../background/outbox';
import { describeError } from '../../log';
import type { RulesFile } from '../../risk/rules-file';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import type { Core } from '../core';
import type { HelpdeskSource } from '../sources/registry';
import type { Sources } from '../sources/sources.service';
import { Opening, outreachJobs } from './opening';
import { Outreach } from './outreach.service';

export interface OutreachSliceParts {
  readonly rules: RulesFile;
  readonly sources: Sources;
}

/** Milliseconds. A helpdesk is done with a call by then, whoever waits for it. */
const lease = 150_000;

/** Configured with a queue, and not only read. */
const takesTickets = ({ outreach, connector }: HelpdeskSource): boolean =>
  outreach !== null && connector.openTicket !== undefined && connector.openedTicket !== undefined;

/** Rules that are on have tickets opened. */
const isAskedFor = ({ settings }: RulesFile): boolean =>
  settings.some(({ mode, effects }) => mode === 'ON' && effects.includes('outreach-ticket'));

/** Tickets that rules have opened at the helpdesks. */
export const createOutreach = ({ database, keys, clock, log }: Core, { rules, sources }: OutreachSliceParts) => {
  const all = sources.helpdesks('background');
  const helpdesks = new Map(all.filter(takesTickets).map((each) => [each.name, each]));
  if (isAskedFor(rules))
    for (const { name } of all.filter((each) => !takesTickets(each)))
      log.warn(
        { source: name },
        'rules ask for tickets at this helpdesk, which isn’t configured for it (outreach): none is opened',
      );
  const service = new Outreach({
    keys,
    helpdesks,
    onEnough: (source) =>
      log.warn({ source }, 'as many tickets as a day may have were opened by rules; no more until some are a day old'),
  });
  const jobs = new Outbox({
    database,
    jobs: outreachJobs,
    handlers: { OUTREACH: new Opening({ database, keys, helpdesks }) },
    lease,
    width: 2,
    clock,
    faultOf: (error) => (error instanceof SourceUnavailable ? error.why : null),
    onFault: ({ kind, subject, fault }, error) =>
      log[fault === 'internal' ? 'error' : 'warn'](
        { job: kind, outreach: subject, fault, ...(fault === 'internal' ? { error: describeError(error) } : {}) },
        'a job failed',
      ),
  });
  return { service, jobs };
};
