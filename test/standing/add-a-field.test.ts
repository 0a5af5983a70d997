import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuiltGateway } from '../support/built';
import { root, waysToAdd } from '../support/readme';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface Place {
  /** As the README calls it. */
  readonly named: string;
  readonly file: string;
  /** Each text stands behind its anchor, which the file has once. Without an anchor the text is a new file. */
  readonly edits: readonly { readonly behind?: string; readonly text: string }[];
  /** What refuses the field where this place was left out, and how it says so. */
  readonly refusedBy: 'compiler' | 'policy check' | 'comparison of entities and tables';
  readonly saying: RegExp;
}

/** A field of a transaction, `network`, wherever the README says. */
const places: readonly Place[] = [
  {
    named: 'src/upstream/payments/payments.port.ts',
    file: 'src/upstream/payments/payments.port.ts',
    edits: [
      {
        behind: '  readonly declineAdvice: string | null;\n',
        text: '  /** The card network that carried the attempt. */\n  readonly network: string | null;\n',
      },
    ],
    refusedBy: 'compiler',
    saying: /stripe\.transactions\.ts.*'network' does not exist in type 'TransactionRecord'/,
  },
  {
    named: 'stripe/stripe.transactions.ts',
    file: 'src/upstream/payments/stripe/stripe.transactions.ts',
    edits: [
      {
        behind: '        three_d_secure: threeDSecureSchema,\n',
        text: '        network: orNull(word),\n',
      },
      {
        behind: '    declineAdvice: advice(failure) ?? advice(failed?.outcome),\n',
        text: '    network: charge?.payment_method_details?.card?.network ?? null,\n',
      },
      {
        behind: "  declineAdvice: charge.status === 'failed' ? advice(charge.outcome) : null,\n",
        text: '  network: charge.payment_method_details?.card?.network ?? null,\n',
      },
    ],
    refusedBy: 'compiler',
    saying: /stripe\.transactions\.ts.*Property 'network' is missing/,
  },
  {
    named: 'src/development/merchant/history.ts',
    file: 'src/development/merchant/history.ts',
    edits: [
      { behind: '  declineAdvice: null,\n', text: '  network: null,\n' },
      {
        behind: '        declineAdvice: decline?.advice ?? null,\n',
        text: '        network: (methods[position] as PaymentMethodRecord).brand,\n',
      },
    ],
    refusedBy: 'compiler',
    saying: /history\.ts.*Property 'network' is missing/,
  },
  {
    named: 'payment.entity.ts',
    file: 'src/features/payments/payment.entity.ts',
    edits: [
      {
        behind: "  @Text(64, { name: 'decline_advice', nullable: true }) declineAdvice!: string | null;\n",
        text: '  @Text(32, { nullable: true }) network!: string | null;\n',
      },
    ],
    refusedBy: 'compiler',
    saying: /payments\.rows\.ts.*"network"/,
  },
  {
    named: 'migrations/<milliseconds>-<what-it-does>.ts',
    file: 'migrations/1799999999999-network-of-transactions.ts',
    edits: [
      {
        text: `import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumns, dropColumns, text } from './tables';

const columns = [text('network', 32)];

export class NetworkOfTransactions1799999999999 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, 'payment_transaction', columns);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropColumns(runner, 'payment_transaction', columns);
  }
}
`,
      },
    ],
    refusedBy: 'comparison of entities and tables',
    saying: /payment_transaction.*network/,
  },
  {
    named: 'payments.ingest.ts',
    file: 'src/features/payments/payments.ingest.ts',
    edits: [
      {
        behind: '          declineAdvice: cut(record.declineAdvice, 64),\n',
        text: '          network: cut(record.network, 32),\n',
      },
    ],
    refusedBy: 'compiler',
    saying: /payments\.ingest\.ts.*[Pp]roperty 'network' is missing/,
  },
  {
    named: 'payments.rows.ts',
    file: 'src/features/payments/payments.rows.ts',
    edits: [{ behind: "'declineAdvice', ", text: "'network', " }],
    refusedBy: 'compiler',
    saying: /payment\.type\.ts.*Property 'network' does not exist/,
  },
  {
    named: 'payment.type.ts',
    file: 'src/features/payments/payment.type.ts',
    edits: [
      {
        behind: '    return this.row.declineAdvice;\n  }\n',
        text: "\n  @Exposed('PAYMENT', () => String)\n  get network(): string | null {\n    return this.row.network;\n  }\n",
      },
    ],
    refusedBy: 'policy check',
    saying: /Transaction\.network/,
  },
  {
    named: 'schema/exposure.yaml',
    file: 'schema/exposure.yaml',
    edits: [
      {
        behind: '    declineAdvice: { AGENT: reveal, SUPERVISOR: reveal, "*": deny }\n',
        text: '    network: { AGENT: reveal, SUPERVISOR: reveal, "*": deny }\n',
      },
    ],
    refusedBy: 'policy check',
    saying: /Transaction\.network/,
  },
];

/** A copy of what the product is made of: the tests of the checkout stay where they are. */
class Tree {
  readonly folder = mkdtempSync(join(process.env.TEST_SCRATCH as string, 'field-'));
  private readonly before = new Map<string, string | null>();

  constructor() {
    for (const name of ['src', 'migrations', 'schema', 'ormconfig.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
      cpSync(join(root, name), join(this.folder, name), { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  take(place: Place): void {
    const [first] = place.edits;
    if (first?.behind === undefined) {
      this.before.set(place.file, null);
      writeFileSync(this.path(place.file), first?.text ?? '');
      return;
    }
    let text = readFileSync(this.path(place.file), 'utf8');
    this.before.set(place.file, text);
    for (const { behind = '', text: added } of place.edits) {
      if (text.split(behind).length !== 2) throw new Error(`${place.file} doesn't have this once: ${behind}`);
      text = text.replace(behind, () => behind + added);
    }
    writeFileSync(this.path(place.file), text);
  }

  /** As if the place had been forgotten. */
  leaveOut(place: Place): void {
    const text = this.before.get(place.file) as string | null;
    if (text === null) rmSync(this.path(place.file));
    else writeFileSync(this.path(place.file), text);
  }

  run(args: readonly string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
      const child = spawn(process.execPath, args, { cwd: this.folder, env: { PATH, HOME, TMPDIR } });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      child.on('close', (code) => resolve({ code, output }));
    });
  }

  private compiler(...args: string[]): Promise<Ended> {
    return this.run(['node_modules/typescript/bin/tsc', '--pretty', 'false', ...args]);
  }

  build(): Promise<Ended> {
    return this.compiler('-p', 'tsconfig.build.json');
  }

  /** Compiles the places and what they are made of, and nothing else: a sixth of the time. */
  compilePlaces(...more: string[]): Promise<Ended> {
    const files = places.map(({ file }) => file).filter((file) => file.startsWith('src/'));
    const compilerOptions = { incremental: false, tsBuildInfoFile: null };
    const project = { extends: './tsconfig.build.json', include: [], files, compilerOptions };
    writeFileSync(this.path('tsconfig.places.json'), JSON.stringify(project));
    return this.compiler('-p', 'tsconfig.places.json', '--singleThreaded', ...more);
  }

  counterfoil(...args: string[]): Promise<Ended> {
    return this.run(['dist/src/cli/counterfoil.js', ...args]);
  }

  /** What a database lacks that has only been migrated: what test/api/database.test.ts holds against nothing. */
  async drift(): Promise<Ended> {
    const ended = await this.run([
      '-e',
      `const { Database } = require('./dist/src/db/database');
       const { migrations } = require('./dist/migrations');
       const { entities } = require('./dist/src/features/entities');
       const parts = { entities, migrations };
       Database.open({ engine: 'sqlite', file: 'drift.sqlite' }, parts).then(async (database) => {
         const drift = await database.schemaDrift();
         await database.close();
         console.log(drift.join('\\n'));
         process.exitCode = drift.length > 0 ? 1 : 0;
       });`,
    ]);
    rmSync(this.path('drift.sqlite'), { force: true });
    return ended;
  }
}

const passed = { code: 0, output: expect.any(String) as string };

describe('a field that is added where the README says', () => {
  let tree: Tree;
  let gateway: BuiltGateway;
  beforeAll(async () => {
    tree = new Tree();
    for (const place of places) tree.take(place);
    gateway = BuiltGateway.of(tree.path('dist'));
    expect(await tree.build()).toEqual({ code: 0, output: '' });
  });
  afterAll(async () => {
    await gateway.remove();
    rmSync(tree.folder, { recursive: true, force: true });
  });

  it('is written by hand in nine files at most, which the README names in this order', () => {
    expect(new Set(places.map(({ file }) => file)).size).toBe(places.length);
    expect(places.length).toBeLessThanOrEqual(9);
    const named = [...waysToAdd('field').matchAll(/^\d+\. `([^`]+)`/gm)].map(([, name]) => name);
    expect(named).toEqual(places.map(({ named: name }) => name));
  });

  it('isn’t in the graph that is reviewed until that is written anew, by one command', async () => {
    const file = 'schema/schema.graphql';
    expect(await tree.counterfoil('schema', 'check', file)).toEqual({
      code: 1,
      output: expect.stringMatching(/\+ {3}network: String/) as string,
    });
    expect(await tree.counterfoil('schema', 'print', '--output', file)).toEqual(passed);
    expect(await tree.counterfoil('schema', 'check', file)).toEqual(passed);
  });

  it('is stored, and answered to whom the policy shows it', async () => {
    expect([await tree.counterfoil('policy', 'check'), await tree.drift()]).toEqual([passed, passed]);
    const environment = { DATA_DIR: 'data', POLICY_FILE: tree.path('schema/exposure.yaml') };
    const running = gateway.start(environment);
    const [, address] = await running.said(/(http:\/\/127\.0\.0\.1:\d+)\/ /);
    await running.said(/Started in /);
    const token = (await gateway.run(['token', '--user', 'ana'], environment)).stdout.trim();
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query:
          '{ ticketByReference(source: "demo", reference: "1001") { customer { transactions(first: 5) { nodes { network paymentMethod { brand } } } } } }',
      }),
    });
    running.child.kill('SIGTERM');
    await running.finished;
    const answer = (await response.json()) as {
      data: {
        ticketByReference: { customer: { transactions: { nodes: { network: string; paymentMethod: { brand: string } }[] } } };
      };
    };
    const { nodes } = answer.data.ticketByReference.customer.transactions;
    expect(nodes).toHaveLength(5);
    expect(nodes.map(({ network }) => network)).toEqual(nodes.map(({ paymentMethod }) => paymentMethod.brand));
  });

  const refuse: Record<Place['refusedBy'], () => Promise<Ended>> = {
    compiler: () => tree.compilePlaces('--noEmit'),
    'policy check': () => tree.counterfoil('policy', 'check'),
    'comparison of entities and tables': () => tree.drift(),
  };

  it.each(places.map((place) => [place.named, place.refusedBy, place] as const))(
    'is refused by its name without %s, by the %s',
    async (_, refusedBy, place) => {
      const compiled = tree.path(join('dist', place.file.replace(/\.ts$/, '.js')));
      const whole = place.file.endsWith('.ts') ? readFileSync(compiled) : null;
      tree.leaveOut(place);
      if (place.file.startsWith('migrations/')) rmSync(compiled);
      if (place.file === 'src/features/payments/payment.type.ts')
        expect(await tree.compilePlaces()).toEqual({ code: 0, output: '' });
      const refusal = await refuse[refusedBy]();
      tree.take(place);
      if (whole) writeFileSync(compiled, whole);
      expect(refusal).toEqual({ code: expect.any(Number) as number, output: expect.stringMatching(place.saying) as string });
      expect(refusal.code).not.toBe(0);
    },
  );
});
