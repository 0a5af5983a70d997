import { randomInt, timingSafeEqual } from 'node:crypto';
import { maskValue } from '../../authz/policy/mask';
import type { Change } from '../../db/change';
import { type DeliveryChannels, DeliveryFailed } from '../../upstream/delivery/delivery.port';
import type { Keys } from '../keys/keys.service';
import type { CodeView, Dead, Problem } from './invitation.view';

/** How often a code may be entered wrongly, and how many may be sent. */
const mostTries = 5;
const mostSends = 5;
const lifetime = 10 * 60_000;

/** The columns that a row has whose answer may take a code. */
export interface StoredCode {
  id: string;
  needsCode: boolean;
  /** Keyed digest: six digits alone could be tried out against a stolen column. */
  codeDigest: string | null;
  codeExpiresAt: Date | null;
  codeTries: number;
  codeSends: number;
}

/** What the customer is told of their code. `phone` is the number that it goes to. */
export const codeView = (
  { needsCode, codeDigest, codeTries, codeSends }: Omit<StoredCode, 'id' | 'codeExpiresAt'>,
  phone: () => string | null,
): CodeView | null =>
  needsCode
    ? {
        sentTo: codeDigest === null ? null : (maskValue('phone', phone(), { digest: () => '' }) as string | null),
        triesLeft: Math.max(0, mostTries - codeTries),
        sendsLeft: Math.max(0, mostSends - codeSends),
      }
    : null;

/** What a code is worked with: one change, and the row that it belongs to, locked. */
interface Course<Row> {
  readonly change: Change;
  readonly row: Row;
}

/** What the purpose that a code is for says of it and does about it, in the same change. */
export interface CodeParts<Row extends StoredCode, On extends Course<Row>> {
  readonly keys: Keys;
  readonly channels: DeliveryChannels;
  /** Runs a change as the customer, where a code of theirs may be sent. */
  readonly answer: <T>(token: string, work: (on: On) => Promise<T>) => Promise<T | Dead>;
  /** The number that was judged, or none: a code must not follow a number that somebody changed meanwhile. */
  readonly phoneOf: (on: On) => Promise<string | null>;
  /** The message that brings a code. */
  readonly text: (code: string) => string;
  /** Ends what was asked: the number is another one. */
  readonly phoneChanged: (on: On) => Promise<void>;
  /** Ends what was asked: the code was guessed at too often. */
  readonly triesSpent: (on: On) => Promise<void>;
  readonly recordSent: (on: On) => void;
  /** It certainly didn't leave. */
  readonly recordUnsent: (on: On) => void;
  readonly recordFailed: (on: On) => void;
}

/** What came of an answer as far as its code goes: it is the code; or why not; or that nothing can be answered any more. */
export type CodeVerdict =
  | { readonly is: 'right' }
  | { readonly is: 'wrong'; readonly problem: string /** Where this cost one. */; readonly triesLeft: number | null }
  | { readonly is: 'dead' };

/** Codes that go to a customer by another way than the link. */
export class Codes<Row extends StoredCode, On extends Course<Row>> {
  constructor(private readonly parts: CodeParts<Row, On>) {}

  /** Sends a fresh one. Returns what hindered it: nothing, where it is on its way or none is asked for. */
  async send(token: string): Promise<readonly Problem<never>[] | Dead> {
    const { answer, phoneOf, phoneChanged, recordSent, text, channels } = this.parts;
    const made = await answer(token, async (on) => {
      const { change, row } = on;
      if (!row.needsCode) return { problems: [] };
      const phone = await phoneOf(on);
      if (phone === null) {
        await phoneChanged(on);
        return { isDead: true };
      }
      if (row.codeSends >= mostSends)
        return { problems: [[null, 'No further code can be sent. Contact us if none has reached you.'] as const] };
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      row.codeDigest = this.digest(row.id, code);
      row.codeExpiresAt = new Date(change.at.getTime() + lifetime);
      row.codeSends += 1;
      await change.save(row);
      recordSent(on);
      return { code, phone };
    });
    if ('outcome' in made) return made;
    if ('isDead' in made) return { outcome: 'dead' };
    if ('problems' in made) return made.problems ?? [];
    try {
      if (!channels.sms) throw new DeliveryFailed('sms', 'refused');
      await channels.sms.send({ to: made.phone, text: text(made.code) });
    } catch (error) {
      if (!(error instanceof DeliveryFailed)) throw error;
      // Where it may have arrived all the same, it counts.
      if (error.why !== 'timeout' && error.why !== 'fault') await this.forget(token, made.code);
      return [
        [
          null,
          error.isFinal
            ? 'The code can’t be sent to the number that we hold. Contact us to have it corrected.'
            : 'The code could not be sent just now. Try again in a minute.',
        ],
      ];
    }
    return [];
  }

  /** Whether the customer has the code, where one is asked for; a wrong one counts. */
  async judge(on: On, given: string): Promise<CodeVerdict> {
    const { change, row } = on;
    const wrong = (problem: string) => ({ is: 'wrong', problem, triesLeft: null }) as const;
    if (!row.needsCode) return { is: 'right' };
    const code = given.replace(/[\s-]/g, '');
    if (row.codeDigest === null) return wrong('Have a code sent to you first.');
    if (!/^\d{6}$/.test(code)) return wrong('Enter the six digits of the code.');
    if (row.codeExpiresAt === null || row.codeExpiresAt <= change.at) return wrong('This code has expired. Have a new one sent.');
    const [digest, expected] = [Buffer.from(this.digest(row.id, code)), Buffer.from(row.codeDigest)];
    if (digest.length === expected.length && timingSafeEqual(digest, expected)) return { is: 'right' };
    row.codeTries += 1;
    this.parts.recordFailed(on);
    if (row.codeTries >= mostTries) {
      await this.parts.triesSpent(on);
      return { is: 'dead' };
    }
    await change.save(row);
    const triesLeft = mostTries - row.codeTries;
    const problem = `This is not the code. ${triesLeft === 1 ? 'One try is' : `${triesLeft} tries are`} left.`;
    return { is: 'wrong', problem, triesLeft };
  }

  /** A code that certainly didn't leave is none, unless another one took its place meanwhile. */
  private async forget(token: string, code: string): Promise<void> {
    await this.parts.answer(token, async (on) => {
      const { change, row } = on;
      if (row.codeDigest !== this.digest(row.id, code)) return;
      row.codeDigest = null;
      await change.save(row);
      this.parts.recordUnsent(on);
    });
  }

  private digest(id: string, code: string): string {
    return this.parts.keys.searchDigest('credential-code', `${id} ${code}`) as string;
  }
}
