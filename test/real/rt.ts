import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What `rt-up.sh` prints. `people` are keyed by login name; their ids are RT's, as decimal text. */
export interface RtConnection {
  readonly url: string;
  readonly people: Readonly<Record<string, { readonly id: string; readonly token: string }>>;
  readonly queues: readonly string[];
  /** The login name of the gateway's account. */
  readonly gateway: string;
  readonly customerField: string;
  readonly webhookSecret: string;
  /** What our extension signs with. */
  readonly contextSecret: string;
  readonly outbox: string;
  readonly directory: string;
  readonly pid: number;
  /** Where RT sends its webhooks, null when it sends none. */
  readonly webhookUrl?: string | null;
  /** The gateway whose panel our extension shows. */
  readonly gatewayUrl?: string;
}

/** The server that `run.mjs` started for this suite. */
export const rtConnection = (): RtConnection => {
  const file = process.env.RT_CONNECTION;
  if (file === undefined) throw new Error('RT_CONNECTION names no file: start this suite with npm run test:real');
  return JSON.parse(readFileSync(file, 'utf8')) as RtConnection;
};

/** RT as its people use it: over REST2 under their own tokens, and by mail. */
export class RtPeople {
  constructor(readonly connection: RtConnection) {}

  person(name: string): { readonly id: string; readonly token: string } {
    const person = this.connection.people[name];
    if (person === undefined) throw new Error(`rt-up.sh knows no ${name}`);
    return person;
  }

  /** Sends a request and gives the answer; RT reports refusals in sentences with status 200, which are the answer then. */
  async as(name: string, method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.connection.url}/REST/2.0${path}`, {
      method,
      headers: { authorization: `token ${this.person(name).token}`, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  }

  /** An agent's new ticket over REST2; its number. */
  async create(name: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
    const answer = (await this.as(name, 'POST', '/ticket', fields)) as { id: string | number };
    return String(answer.id);
  }

  change(name: string, ticket: string, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.as(name, 'PUT', `/ticket/${ticket}`, fields);
  }

  /** A mail as the mail gateway hands it to RT; the number of the ticket that it opened or belongs to. Subjects without quotes. */
  async mail(
    queue: string,
    message: { from: string; subject: string; text: string; headers?: readonly string[] },
  ): Promise<string> {
    const lines = [
      `From: ${message.from}`,
      `To: ${queue.toLowerCase()}@rt.example`,
      `Subject: ${message.subject}`,
      `Message-ID: <${randomUUID()}@customers.example>`,
      'MIME-Version: 1.0',
      ...(message.headers ?? ['Content-Type: text/plain; charset=utf-8']),
      '',
      message.text,
      '',
    ];
    const response = await fetch(`${this.connection.url}/REST/1.0/NoAuth/mail-gateway`, {
      method: 'POST',
      body: new URLSearchParams({ SessionType: 'REST', queue, action: 'correspond', message: lines.join('\n') }),
    });
    if (!(await response.text()).startsWith('ok'))
      throw new Error(`the mail gateway refused the message, HTTP ${response.status}`);
    // the gateway doesn't say which ticket it made
    const reply = /\[rt\.example #(\d+)\]/.exec(message.subject)?.[1];
    if (reply !== undefined) return reply;
    const query = new URLSearchParams({ query: `Subject = '${message.subject}'`, orderby: 'id', order: 'DESC', per_page: '1' });
    const found = (await this.as('root', 'GET', `/tickets?${query}`)) as { items: { id: string | number }[] };
    const ticket = found.items[0];
    if (ticket === undefined) throw new Error('the message opened no ticket');
    return String(ticket.id);
  }
}

/**
 * Starts an RT of one's own, or again the one that was stopped in mid-way: with what it was `told` of the gateway, for the suites that come later.
 * `stop` ends the process by its id, once.
 */
export const startRt = (
  directory: string,
  port: number,
  told: Pick<RtConnection, 'webhookUrl' | 'gatewayUrl'> | null = null,
): Promise<{ connection: RtConnection; stop: () => void }> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      ...(told?.webhookUrl == null ? {} : { RT_WEBHOOK_URL: told.webhookUrl }),
      ...(told?.gatewayUrl == null ? {} : { RT_GATEWAY: told.gatewayUrl }),
    };
    execFile(`${__dirname}/rt-up.sh`, [directory, String(port)], { env }, (error, stdout) => {
      if (error) {
        reject(error);
        return;
      }
      const connection = JSON.parse(stdout) as RtConnection;
      let isStopped = false;
      const stop = () => {
        // The number may be another process's by now.
        if (!isStopped) process.kill(connection.pid);
        isStopped = true;
      };
      resolve({ connection, stop });
    });
  });
