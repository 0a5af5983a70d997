import type { Storage } from '../core';
import { Signals } from './signals.service';

/** What is told of payments, tickets and staff, in one order. */
export const createSignals = ({ database, clock, log }: Storage): Signals => new Signals({ database, clock, log });
