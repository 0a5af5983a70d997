import type { Storage } from '../core';
import { SignalReceiver } from './receive/receiver';
import type { SignalsSection } from './signals.section';
import { Signals } from './signals.service';
import { type NamedThings, SignalSubjects } from './subjects';

/** What is told of payments, tickets and staff, in one order. */
export const createSignals = ({ database, keys, clock, log }: Storage, section: SignalsSection, named: NamedThings) => {
  const service = new Signals({ database, clock, log });
  const subjects = new SignalSubjects(keys.digests, named);
  return { service, receiver: new SignalReceiver({ database, subjects, sources: section.sources, signals: service }) };
};
