import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../src/audit/checkpoint';
import { cosignedText } from '../../src/audit/cosignature';
import { verifyConsistency } from '../../src/audit/merkle';
import { parseNote, type VerifierKey } from '../../src/audit/note';

/** A witness as https://c2sp.org/tlog-witness@v1.0.0 has it, over HTTP, in memory. */
export class TestWitness {
  readonly name = 'witness.example.com/test';
  private readonly keys = generateKeyPairSync('ed25519');
  private readonly logs = new Map<string, Checkpoint>();
  private server!: Server;
  readonly requests: string[] = [];
  /** Answers instead of the witness, once each. */
  readonly answers: { status: number; body?: string; type?: string }[] = [];

  constructor(
    private readonly trusted: readonly VerifierKey[],
    private readonly clock: () => Date,
  ) {}

  static async start(trusted: readonly VerifierKey[], clock: () => Date): Promise<TestWitness> {
    const witness = new TestWitness(trusted, clock);
    witness.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        witness.requests.push(body);
        const {
          status,
          body: text = '',
          type = 'text/plain',
        } = request.method === 'POST' && request.url === '/add-checkpoint'
          ? (witness.answers.shift() ?? witness.add(body))
          : { status: 404 };
        response.writeHead(status, { 'content-type': type }).end(text);
      });
    });
    await new Promise<void>((resolve) => witness.server.listen(0, '127.0.0.1', resolve));
    return witness;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private get publicBytes(): Buffer {
    const raw = createPublicKey(this.keys.privateKey).export({ type: 'spki', format: 'der' }).subarray(-32);
    return Buffer.concat([Buffer.of(4), raw]);
  }

  private get keyId(): Buffer {
    return createHash('sha256').update(`${this.name}\n`).update(this.publicBytes).digest().subarray(0, 4);
  }

  get key(): string {
    return `${this.name}+${this.keyId.toString('hex')}+${this.publicBytes.toString('base64')}`;
  }

  /** What it cosigned last. */
  latest(origin: string): Checkpoint | undefined {
    return this.logs.get(origin);
  }

  /** As a witness whose disk was put back. */
  restore(origin: string, checkpoint: Checkpoint | undefined): void {
    if (checkpoint) this.logs.set(origin, checkpoint);
    else this.logs.delete(origin);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.closeAllConnections();
      this.server.close(() => resolve());
    });
  }

  private add(body: string): { status: number; body?: string; type?: string } {
    const [, old, lines = '', note = ''] = /^old (\d+)\n((?:[^\n]+\n)*)\n([\s\S]*)$/.exec(body) ?? [];
    if (old === undefined) return { status: 400 };
    const from = Number(old);
    const path = lines.split('\n').flatMap((line) => (line === '' ? [] : [Buffer.from(line, 'base64')]));
    const { origin } = parseCheckpoint(parseNote(note).text);
    if (!this.trusted.some(({ name }) => name === origin)) return { status: 404 };
    let checkpoint: Checkpoint;
    try {
      checkpoint = openCheckpoint(note, this.trusted);
    } catch {
      return { status: 403 };
    }
    if (from > checkpoint.size) return { status: 400 };
    const known = this.logs.get(origin);
    const conflict = { status: 409, body: `${known?.size ?? 0}\n`, type: 'text/x.tlog.size' };
    if (from !== (known?.size ?? 0)) return conflict;
    if (known && from === checkpoint.size && !known.root.equals(checkpoint.root)) return conflict;
    const continues =
      known && from > 0 ? verifyConsistency(from, checkpoint.size, known.root, checkpoint.root, path) : path.length === 0;
    if (!continues) return { status: 422 };
    this.logs.set(origin, checkpoint);
    const seconds = Math.floor(this.clock().getTime() / 1_000);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seconds));
    const signature = sign(null, cosignedText(parseNote(note).text, seconds), this.keys.privateKey);
    return { status: 200, body: `— ${this.name} ${Buffer.concat([this.keyId, time, signature]).toString('base64')}\n` };
  }
}
