import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const root = join(__dirname, '../..');

/** A gateway as it is started in production, which may be killed at any moment and is then started again at once. */
export class GatewayProcess {
  private child: ChildProcess | null = null;
  private stopping = false;
  private restarting: Promise<void> = Promise.resolve();
  kills = 0;
  /** The last lines that it said, for a failure's report. */
  readonly said: string[] = [];

  constructor(
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
      cwd: root,
      env: { PATH, HOME, PORT: String(this.port), LOG_LEVEL: 'error', ...this.environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said.push(text);
      if (this.said.length > 40) this.said.shift();
    });
    child.once('exit', () => {
      if (this.stopping || this.child !== child) return;
      this.restarting = this.start();
      this.restarting.catch(() => {});
    });
    for (let tries = 0; ; tries += 1) {
      // Killed while it started: its successor is on its way.
      if (child.signalCode !== null) return;
      if (child.exitCode !== null) throw new Error(`the gateway ended by itself:\n${this.said.join('')}`);
      const isUp = await fetch(`${this.address}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) return;
      if (tries > 1_200) throw new Error(`the gateway did not start:\n${this.said.join('')}`);
      await pause(50);
    }
  }

  /** After `stop`. */
  startAgain(): Promise<void> {
    this.stopping = false;
    return this.start();
  }

  /** Once whatever was started after a kill answers. */
  async isUpAgain(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const isUp = await fetch(`${this.address}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) return;
      if (tries > 600) throw new Error(`the gateway did not come again:\n${this.said.join('')}`);
      await pause(50);
    }
  }

  /** SIGKILL: nothing of it gets another chance to do anything. */
  kill(): void {
    if (this.child?.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.kills += 1;
    this.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.restarting.catch(() => {});
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
