import { type ChildProcess, fork } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from './settings';

/** A contender in a process of its own. */
export interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly processId: number;
  /** As whom it asks MariaDB. */
  readonly user: string;
}

const userOf = ({ databaseUrl }: Settings): string => /^\w+:\/\/([^:@]+)/.exec(databaseUrl)?.[1] ?? '';

/** As `npm start` and the image start the gateway; every contender has it. */
const nodeOptions = ['--max-semi-space-size=32'];

/** Starts a contender; it ends with ours. */
export const startContender = (name: string, settings: Settings): Promise<Started> =>
  new Promise((resolve, reject) => {
    const output = openSync(join(settings.folder, `${name}.log`), 'a');
    const child = fork(join(__dirname, 'contenders', `${name}.js`), {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: [...nodeOptions, ...(process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean)],
      stdio: ['ignore', output, 'inherit', 'ipc'],
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} stopped with code ${code}`)));
    child.once('message', (message) =>
      resolve({ child, port: (message as { port: number }).port, processId: child.pid ?? 0, user: userOf(settings) }),
    );
    child.send(settings);
  });

export const stopContender = async ({ child }: Started): Promise<void> => {
  if (child.exitCode !== null || !child.connected) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await ended;
};

/** A file of /proc about a process; null where the system has none. */
const ofProcess = (processId: number, file: string): string | null => {
  try {
    return readFileSync(`/proc/${processId}/${file}`, 'utf8');
  } catch {
    return null;
  }
};

/** Processor time that a process has used so far, milliseconds; NaN where the system has no /proc. */
export const processorTime = (processId: number): number => {
  const stat = ofProcess(processId, 'stat');
  if (stat === null) return Number.NaN;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Clock ticks of user and system time; Linux shows 100 a second to programs, whatever the kernel's own clock.
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** Memory that a process holds (its resident set), MiB; NaN where the system has no /proc. */
export const residentMemory = (processId: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(ofProcess(processId, 'status') ?? '')?.[1]) / 1_024;
