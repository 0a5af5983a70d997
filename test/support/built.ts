import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the built gateway, with what it said so far. */
export class Running {
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;
  private readonly waiting: (() => void)[] = [];

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const look of this.waiting) look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.finished = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        for (const look of this.waiting) look();
      });
    });
  }

  /** Waits until stdout has it; throws with everything that was said when the process ends before. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

/** The compiler's output, made once a run. Whoever is first makes it; when two workers are, one of the two is kept. */
const builtOnce = (): string => {
  const kept = join(process.env.TEST_SCRATCH as string, 'built');
  if (existsSync(kept)) return kept;
  const output = mkdtempSync(join(tmpdir(), 'counterfoil-built-'));
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      output,
      '--tsBuildInfoFile',
      join(output, '.tsbuildinfo'),
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  symlinkSync(join(root, 'node_modules'), join(output, 'node_modules'));
  // The build's last step, as scripts/prepare.mjs takes it.
  execFileSync(process.execPath, ['-e', "require('./src/cli/stored-classification').storeClassification()"], { cwd: output });
  try {
    renameSync(output, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error;
    rmSync(output, { recursive: true, force: true });
  }
  return kept;
};

/** The gateway as the compiler makes it, and processes of it in an empty folder. */
export class BuiltGateway {
  private readonly processes: Running[] = [];
  /** Where processes run: nothing of the checkout is in reach unless a test puts it there. */
  readonly folder = mkdtempSync(join(tmpdir(), 'counterfoil-cli-'));

  private constructor(
    /** Where the compiler wrote. */
    readonly output: string,
  ) {}

  static make(): BuiltGateway {
    return new BuiltGateway(builtOnce());
  }

  /** For a test that changes what was built: a copy of its own. */
  static copy(): BuiltGateway {
    const output = mkdtempSync(join(process.env.TEST_SCRATCH as string, 'copy-'));
    cpSync(builtOnce(), output, { recursive: true, verbatimSymlinks: true });
    return new BuiltGateway(output);
  }

  /** Of what somebody else compiled. */
  static of(output: string): BuiltGateway {
    return new BuiltGateway(output);
  }

  private spawn(file: string, args: readonly string[], environment: Readonly<Record<string, string>>): Running {
    const { PATH = '', HOME = '' } = process.env;
    const running = new Running(
      spawn(process.execPath, [join(this.output, ...file.split('/')), ...args], {
        cwd: this.folder,
        env: {
          PATH,
          HOME,
          POLICY_FILE: join(root, 'schema', 'exposure.yaml'),
          RULES_FILE: join(root, 'schema', 'rules.yaml'),
          PORT: '0',
          DEMO_SIZE: '0.02',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    this.processes.push(running);
    return running;
  }

  /** `counterfoil …` to its end. */
  run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return this.spawn('src/cli/counterfoil.js', args, environment).finished;
  }

  /** `counterfoil …` that goes on until it is told to stop. */
  begin(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Running {
    return this.spawn('src/cli/counterfoil.js', args, environment);
  }

  /** A program of `bench/` to its end. */
  bench(file: string, args: readonly string[]): Promise<Finished> {
    return this.spawn(`bench/${file}`, args, {}).finished;
  }

  /** What `npm start` runs. */
  start(environment: Readonly<Record<string, string>> = {}): Running {
    return this.spawn('src/main.js', [], environment);
  }

  /** Ends every process that is left, and removes the folder. */
  async remove(): Promise<void> {
    for (const { child, finished } of this.processes) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await finished;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
