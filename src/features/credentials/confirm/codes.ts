import { randomInt, timingSafeEqual } from 'node:crypto';
import { sql } from '../../../db/sql';
import { type DeliveryChannels, DeliveryFailed } from '../../../upstream/delivery/delivery.port';
import { isDigestOfPhone } from '../../keys/contact-digests';
import type { Keys } from '../../keys/keys.service';
import { payer, payerRows } from '../../payments/payments.rows';
import { end, factsOf } from '../credential-update.moves';
import { credentialActions } from '../credentials.policy';
import { again, dead, type Problem } from './answers';
import type { ConfirmationAnswer, ConfirmationView } from './confirmation.view';
import { type Answering, type Links, mostCodeSends, mostCodeTries } from './links';

const codeLifetime = 10 * 60_000;

const codeStages: readonly ConfirmationView['stage'][] = ['ASKED', 'AT_PROVIDER'];

/** Codes that go to a customer by another way than the link. */
export class Codes {
  constructor(
    private readonly keys: Keys,
    private readonly links: Links,
    private readonly channels: DeliveryChannels,
    private readonly merchant: string,
  ) {}

  /** Sends a fresh one. Returns what hindered it; the answer where there is nothing more to say. */
  async send(token: string): Promise<ConfirmationAnswer | readonly Problem[]> {
    const made = await this.links.answer(
      token,
      credentialActions.sendCode,
      async ({ change, update, asked, seal }) => {
        if (!update.needsCode) return { answer: again(asked.view, []) };
        const phone = this.links.phoneOf(asked.row);
        const [current] = await change.read(payerRows, sql`WHERE ${payer.id} = ${update.paymentCustomerId}`);
        // The number that was judged, or none: a code must not follow a number that somebody changed meanwhile.
        const isIt = (digest: string | null | undefined) =>
          phone !== null && typeof digest === 'string' && isDigestOfPhone(this.keys, digest, phone);
        if (phone === null || !isIt(current?.phoneDigest) || !isIt(update.phoneDigest)) {
          await end(change, seal, update, 'credential.contact-changed', { to: 'FAILED', reason: 'CONTACT_CHANGED' });
          return { answer: dead };
        }
        if (update.codeSends >= mostCodeSends)
          return { answer: again(asked.view, [[null, 'No further code can be sent. Contact us if none has reached you.']]) };
        const code = String(randomInt(1_000_000)).padStart(6, '0');
        update.codeDigest = this.digest(update.id, code);
        update.codeExpiresAt = new Date(change.at.getTime() + codeLifetime);
        update.codeSends += 1;
        await change.save(update);
        change.record('credential.code', { ...factsOf(update, seal), detail: { sends: update.codeSends } });
        return { code, phone };
      },
      codeStages,
    );
    if ('outcome' in made) return made;
    if ('answer' in made) return made.answer;
    const text = `${made.code} is your code to confirm a change of payment details at ${this.merchant}. Nobody of ${this.merchant} will ask you for it.`;
    const problems: Problem[] = [];
    try {
      if (!this.channels.sms) throw new DeliveryFailed('sms', 'refused');
      await this.channels.sms.send({ to: made.phone, text });
    } catch (error) {
      if (!(error instanceof DeliveryFailed)) throw error;
      // Where it may have arrived all the same, it counts.
      if (error.why !== 'timeout' && error.why !== 'fault') await this.forget(token, made.code);
      problems.push([
        null,
        error.isFinal
          ? 'The code can’t be sent to the number that we hold. Contact us to have it corrected.'
          : 'The code could not be sent just now. Try again in a minute.',
      ]);
    }
    return problems;
  }

  /** A code that certainly didn't leave is none, unless another one took its place meanwhile. */
  private async forget(token: string, code: string): Promise<void> {
    await this.links.answer(
      token,
      credentialActions.sendCode,
      async ({ change, update, seal }) => {
        if (update.codeDigest !== this.digest(update.id, code)) return;
        update.codeDigest = null;
        await change.save(update);
        change.record('credential.code-unsent', { ...factsOf(update, seal), detail: { sends: update.codeSends } });
      },
      codeStages,
    );
  }

  /** Whether the customer has the code, where one is asked for; a wrong one counts. Null where all is well. */
  async judge({ change, update, asked, seal }: Answering, given: string): Promise<ConfirmationAnswer | null> {
    const { view } = asked;
    if (!update.needsCode) return null;
    const code = given.replace(/[\s-]/g, '');
    if (update.codeDigest === null) return again(view, [['code', 'Have a code sent to you first.']]);
    if (!/^\d{6}$/.test(code)) return again(view, [['code', 'Enter the six digits of the code.']]);
    if (update.codeExpiresAt === null || update.codeExpiresAt <= change.at)
      return again(view, [['code', 'This code has expired. Have a new one sent.']]);
    const [digest, expected] = [Buffer.from(this.digest(update.id, code)), Buffer.from(update.codeDigest)];
    if (digest.length === expected.length && timingSafeEqual(digest, expected)) return null;
    update.codeTries += 1;
    change.record('credential.code-failed', { ...factsOf(update, seal), detail: { tries: update.codeTries } });
    if (update.codeTries >= mostCodeTries) {
      await end(change, seal, update, 'credential.code-tries-spent', { to: 'CANCELLED', reason: 'CODE_TRIES' });
      return dead;
    }
    await change.save(update);
    const triesLeft = mostCodeTries - update.codeTries;
    return again({ ...view, code: view.code && { ...view.code, triesLeft } }, [
      ['code', `This is not the code. ${triesLeft === 1 ? 'One try is' : `${triesLeft} tries are`} left.`],
    ]);
  }

  private digest(updateId: string, code: string): string {
    return this.keys.searchDigest('credential-code', `${updateId} ${code}`) as string;
  }
}
