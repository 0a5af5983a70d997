import { describeError } from '../../log';
import type { Storage } from '../core';
import { type NamesOfCustomer, SignalHistory } from './history';
import { LogSignals, type NamedByEvents } from './log-signals';
import { SignalReceiver, type StaffSessions } from './receive/receiver';
import { SessionUses } from './session-uses';
import type { SignalsSection } from './signals.section';
import { Signals } from './signals.service';
import { type NamedThings, SignalSubjects } from './subjects';

/** Looks up ours by what they are called elsewhere, and what they are called by ours. */
export interface SignalNames extends NamedThings, NamedByEvents {
  readonly namesOfCustomer: NamesOfCustomer;
}

export interface SignalsParts {
  readonly section: SignalsSection;
  readonly named: SignalNames;
  /** Issuer identifiers of the identity providers of staff. */
  readonly staffIssuers: readonly string[];
  readonly endSessions: StaffSessions['end'];
}

/** What is told of payments, tickets and staff, in one order. */
export const createSignals = (
  { database, keys, clock, log }: Storage,
  { section, named, staffIssuers, endSessions }: SignalsParts,
) => {
  const service = new Signals({ database, clock, log, fromLog: new LogSignals(database, named, clock) });
  const subjects = new SignalSubjects(keys.digests, named);
  return {
    service,
    receiver: new SignalReceiver({
      database,
      subjects,
      digests: keys.digests,
      sources: section.sources,
      signals: service,
      sessions: { isTheirs: (issuer) => staffIssuers.includes(issuer), end: endSessions },
      onKeySetFault: (source, why) => log.warn({ source, why }, 'the key set of a sender of signals could not be fetched'),
    }),
    history: new SignalHistory(database, named.namesOfCustomer),
  };
};

/** From where sessions of staff are used. `stored`: told once signals are. */
export const createSessionUses = ({ database, keys, clock, log }: Storage, stored: () => void): SessionUses =>
  new SessionUses({
    database,
    digests: keys.digests,
    clock,
    stored,
    onFault: (error) => log.error({ error: describeError(error) }, 'from where sessions are used could not be stored'),
  });
