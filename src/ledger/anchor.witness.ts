import { cosignatureOn, type WitnessKey } from '../audit/cosignature';
import { NoteInvalid } from '../audit/note';
import { type Anchor, type AnchorAnswer, AnchorUnavailable, type Submission } from './anchor';

/** Milliseconds for one answer. */
const patience = 10_000;
/** Bytes of an answer: a few lines of signatures. */
const longestAnswer = 64 * 1024;

const bodyOf = ({ from, path, checkpoint }: Submission): string =>
  `old ${from}\n${path.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${checkpoint.note}`;

/** A witness that speaks https://c2sp.org/tlog-witness@v1.0.0: it cosigns only what continues all it saw before. */
export class WitnessAnchor implements Anchor {
  constructor(
    readonly name: string,
    /** Prefix of its addresses. */
    private readonly url: string,
    private readonly key: WitnessKey,
  ) {}

  async submit(submission: Submission): Promise<AnchorAnswer> {
    const { status, text, isSize } = await this.post(bodyOf(submission));
    if (status === 200) return { kind: 'TAKEN', note: this.cosigned(submission.checkpoint.note, text) };
    if (status === 409) {
      const size = Number(text.trim());
      if (!isSize || !/^(?:0|[1-9]\d{0,15})\n?$/.test(text) || !Number.isSafeInteger(size))
        throw new AnchorUnavailable(this.name, 'malformed');
      // The same size is a conflict only where the root is another one.
      const isSame = size === submission.from && size === submission.checkpoint.size;
      return isSame ? { kind: 'CONTRADICTED' } : { kind: 'OTHER_SIZE', size };
    }
    if (status === 422) return { kind: 'CONTRADICTED' };
    // 400, 403 and 404: it doesn't know this log or its key, which somebody has to set right.
    throw new AnchorUnavailable(this.name, status < 500 ? 'refused' : 'failed');
  }

  private async post(body: string): Promise<{ status: number; text: string; isSize: boolean }> {
    try {
      const response = await fetch(`${this.url.replace(/\/+$/, '')}/add-checkpoint`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(patience),
      });
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk as Uint8Array);
        length += (chunk as Uint8Array).length;
        if (length > longestAnswer) throw new AnchorUnavailable(this.name, 'malformed');
      }
      return {
        status: response.status,
        text: Buffer.concat(chunks).toString('utf8'),
        isSize: response.headers.get('content-type')?.startsWith('text/x.tlog.size') ?? false,
      };
    } catch (error) {
      if (error instanceof AnchorUnavailable) throw error;
      throw new AnchorUnavailable(this.name, (error as Error).name === 'TimeoutError' ? 'timeout' : 'unreachable');
    }
  }

  /** The note with the witness's signature lines, one of which must be by the key that is configured. */
  private cosigned(note: string, lines: string): string {
    const cosigned = `${note}${lines}`;
    try {
      if (cosignatureOn(cosigned, this.key)) return cosigned;
    } catch (error) {
      if (!(error instanceof NoteInvalid)) throw error;
    }
    throw new AnchorUnavailable(this.name, 'malformed');
  }
}
