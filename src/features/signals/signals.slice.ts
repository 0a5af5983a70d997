import type { Storage } from '../core';
import { LogSignals, type NamedByEvents } from './log-signals';
import { SignalReceiver } from './receive/receiver';
import type { SignalsSection } from './signals.section';
import { Signals } from './signals.service';
import { type NamedThings, SignalSubjects } from './subjects';

/** What is told of payments, tickets and staff, in one order. */
export const createSignals = (
  { database, keys, clock, log }: Storage,
  section: SignalsSection,
  named: NamedThings & NamedByEvents,
) => {
  const service = new Signals({ database, clock, log, fromLog: new LogSignals(database, named, clock) });
  const subjects = new SignalSubjects(keys.digests, named);
  return { service, receiver: new SignalReceiver({ database, subjects, sources: section.sources, signals: service }) };
};
