import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Execution, type Fault, type StripeObject, StripeShapedServer } from './stripe-shaped-server';

/** What the control interface does, by the last part of its path; arguments are the body, a JSON array. */
const controls = {
  createCustomer: (server: StripeShapedServer, fields: object) => server.createCustomer({ ...fields }),
  updateCustomer: (server: StripeShapedServer, id: string, fields: object) => server.updateCustomer(id, { ...fields }),
  createPaymentMethod: (server: StripeShapedServer, fields: object) => server.createPaymentMethod({ ...fields }),
  attachPaymentMethod: (server: StripeShapedServer, customer: string, fields: object) =>
    server.attachPaymentMethod(customer, { ...fields }),
  createSubscription: (server: StripeShapedServer, customer: string, fields: object) =>
    server.createSubscription(customer, { ...fields }),
  updateSubscription: (server: StripeShapedServer, id: string, fields: object) => server.updateSubscription(id, { ...fields }),
  completeSetup: (server: StripeShapedServer, session: string, card: object, authenticated: boolean) =>
    server.completeSetup(session, { ...card }, { authenticated }),
  failSetup: (server: StripeShapedServer, session: string) => server.failSetup(session),
  expireSetup: (server: StripeShapedServer, session: string) => server.expireSetup(session),
  get: (server: StripeShapedServer, id: string) => server.get(id),
  executions: (server: StripeShapedServer) => server.executions,
  setFault: (server: StripeShapedServer, times: number, fault: Fault, path: string) =>
    server.failNext(times, fault, new RegExp(path)),
  recover: (server: StripeShapedServer) => server.recover(),
} as const;
type Control = keyof typeof controls;

const bodyOf = async (request: IncomingMessage): Promise<unknown[]> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? [] : (JSON.parse(Buffer.concat(parts).toString()) as unknown[]);
};

const control = async (server: StripeShapedServer, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const name = (request.url ?? '').slice(1);
  let status = 200;
  let answer: unknown;
  try {
    if (!Object.hasOwn(controls, name)) throw new Error(`no control of that name: ${Object.keys(controls).join(', ')}`);
    const work = controls[name as Control] as (server: StripeShapedServer, ...args: unknown[]) => unknown;
    answer = work(server, ...(await bodyOf(request)));
  } catch (error) {
    status = 400;
    answer = { message: (error as Error).message };
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? null));
};

/**
 * The process: Stripe's interface on one port, the control interface on another; both are told in one line of JSON. It ends with
 * its standard input, so that none outlives the tests that started it, whatever became of them.
 */
const serve = async (apiKey: string): Promise<void> => {
  const server = await StripeShapedServer.start();
  server.apiKey = apiKey;
  server.followsClock = true;
  const controlling = createServer((request, response) => void control(server, request, response));
  await new Promise<void>((resolve) => controlling.listen(0, '127.0.0.1', resolve));
  process.stdin.on('end', () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify({ port: server.port, control: (controlling.address() as AddressInfo).port })}\n`);
};

/**
 * A Stripe-shaped server in a process of its own, which outlives the gateways that a test kills. Its state is in its memory.
 * `port` speaks Stripe's API; the methods speak to its control interface.
 */
export class StripeShapedProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly controlPort: number,
  ) {}

  static async start(apiKey = 'rk_test_shaped'): Promise<StripeShapedProcess> {
    const child = spawn(process.execPath, ['--require', join(__dirname, 'typescript.cjs'), __filename, apiKey], {
      cwd: join(__dirname, '..', '..'),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { port, control: controlPort } = JSON.parse(line) as { port: number; control: number };
      return new StripeShapedProcess(child, port, controlPort);
    }
    throw new Error('the Stripe-shaped process ended before it listened');
  }

  createCustomer(fields: object = {}): Promise<StripeObject> {
    return this.call('createCustomer', fields);
  }

  updateCustomer(id: string, fields: object): Promise<StripeObject> {
    return this.call('updateCustomer', id, fields);
  }

  createPaymentMethod(fields: object = {}): Promise<StripeObject> {
    return this.call('createPaymentMethod', fields);
  }

  attachPaymentMethod(customer: string, fields: object = {}): Promise<StripeObject> {
    return this.call('attachPaymentMethod', customer, fields);
  }

  createSubscription(customer: string, fields: object = {}): Promise<StripeObject> {
    return this.call('createSubscription', customer, fields);
  }

  updateSubscription(id: string, fields: object): Promise<StripeObject> {
    return this.call('updateSubscription', id, fields);
  }

  /** The customer enters a card on the hosted page. */
  completeSetup(
    session: string,
    card: object = {},
    { authenticated = false }: { authenticated?: boolean } = {},
  ): Promise<StripeObject> {
    return this.call('completeSetup', session, card, authenticated);
  }

  failSetup(session: string): Promise<null> {
    return this.call('failSetup', session);
  }

  expireSetup(session: string): Promise<null> {
    return this.call('expireSetup', session);
  }

  get(id: string): Promise<StripeObject> {
    return this.call('get', id);
  }

  executions(): Promise<readonly Execution[]> {
    return this.call('executions');
  }

  /** The next `times` requests whose path matches meet the fault; one that is `held` can't be let go from here. */
  setFault(times: number, fault: Exclude<Fault, { readonly kind: 'held' }>, path = /./): Promise<null> {
    return this.call('setFault', times, fault, path.source);
  }

  recover(): Promise<null> {
    return this.call('recover');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  private async call<T>(name: Control, ...args: readonly unknown[]): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.controlPort}/${name}`, { method: 'POST', body: JSON.stringify(args) });
    const body: unknown = await answer.json();
    if (!answer.ok) throw new Error((body as { message: string }).message);
    return body as T;
  }
}

if (require.main === module) void serve(process.argv[2] ?? 'rk_test_shaped');
