import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(__dirname, '..', '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Instructions in order, continued lines joined, comments left out. */
const instructions = text('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, keyword = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { keyword, rest: rest.replace(/\s+/g, ' ') };
  });
const all = (keyword: string): string[] => instructions.filter((each) => each.keyword === keyword).map(({ rest }) => rest);
/** The stage that becomes the image. */
const final = instructions.slice(instructions.findLastIndex(({ keyword }) => keyword === 'FROM'));
const inFinal = (keyword: string): string[] => final.filter((each) => each.keyword === keyword).map(({ rest }) => rest);

describe('the Dockerfile', () => {
  it('has nothing that the linter objects to', () => {
    expect(validate(text('Dockerfile')).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it('names its images by a version, and ends in a small one', () => {
    const images = all('FROM').map((rest) => rest.replace(/ AS .*$/, ''));
    expect(images.every((image) => /^node:\d+-bookworm(-slim)?$/.test(image))).toBe(true);
    expect(images.at(-1)).toMatch(/-slim$/);
    // What is compiled for one version of Node doesn't load in another.
    expect(new Set(images.map((image) => image.replace(/-slim$/, '')))).toHaveProperty('size', 1);
  });

  it('installs exactly what the lock file says, and for production only in what it ships', () => {
    expect(all('RUN').filter((rest) => /np[mx]/.test(rest))).toEqual([
      'npm ci --omit=dev',
      'npm ci --include=dev',
      // Not `npm run build`: its script prepares a checkout and is not in the image.
      'npx tsc -p tsconfig.build.json',
    ]);
    // What browsers run, made by the scripts that a checkout's build takes too.
    const made = [...text('scripts/prepare.mjs').matchAll(/inRoot\('scripts', '(\w+\.mjs)'\)\]/g)].map(
      ([, name]) => `node scripts/${name}`,
    );
    expect(made).toHaveLength(2);
    expect(all('RUN')).toContain(made.join(' && '));
    expect(inFinal('COPY')).toContain('--from=dependencies /app/node_modules node_modules');
    expect(inFinal('RUN').filter((rest) => /npm|apt|curl|wget/.test(rest))).toEqual([]);
  });

  it('ships the licence that package.json names', () => {
    expect(JSON.parse(text('package.json'))).toHaveProperty('license', 'Apache-2.0');
    expect(text('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
    expect(inFinal('COPY')).toContain('package.json LICENSE ./');
  });

  it('runs as an ordinary user, in production mode, and is asked for its health', () => {
    expect(inFinal('USER')).toEqual(['node']);
    const roots = final.slice(final.findIndex(({ keyword }) => keyword === 'USER')).map(({ keyword }) => keyword);
    expect(roots).not.toContain('RUN');
    expect(inFinal('ENV').join(' ')).toContain('NODE_ENV=production');
    expect(inFinal('HEALTHCHECK')).toEqual([expect.stringMatching(/--timeout=.* CMD \["node", "-e", ".*\/healthz/)]);
    expect(inFinal('CMD')).toEqual(['["node", "--max-semi-space-size=32", "dist/src/main.js"]']);
  });

  it('asks for its health with a script that tells a healthy gateway from none', () => {
    const [, script = ''] = /CMD (\[.*\])$/.exec(inFinal('HEALTHCHECK')[0] ?? '') ?? [];
    const [, , source = ''] = z.tuple([z.literal('node'), z.literal('-e'), z.string()]).parse(JSON.parse(script));
    expect(() => new Function(source)).not.toThrow();
    expect(source).toContain('process.exit(1)');
  });

  it('carries no secret and takes none as an argument', () => {
    expect(all('ARG')).toEqual([]);
    expect(all('ENV').join(' ')).not.toMatch(/KEY|TOKEN|SECRET|PASSWORD|DATABASE_URL/);
    expect(all('ADD')).toEqual([]);
  });

  it('copies only what .dockerignore lets through, and that exists', () => {
    const [first, ...exceptions] = text('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const through = exceptions.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect([...new Set(copied)].sort()).toEqual([...through].sort());
    expect(through.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

const service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  ports: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()),
  command: z.array(z.string()).default([]),
  secrets: z.array(z.string()),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  cap_drop: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
});
const compose = z
  .object({
    services: z.object({ gateway: service, database: service }),
    secrets: z.record(z.string(), z.strictObject({ file: z.string().startsWith('./secrets/') })),
    networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  })
  .parse(parse(text('compose.yaml')));

describe('compose.yaml', () => {
  const { gateway, database } = compose.services;

  it('publishes the gateway on loopback and the database nowhere', () => {
    expect(gateway.ports).toEqual(['127.0.0.1:4000:4000']);
    expect(database.ports).toEqual([]);
    expect(database.networks.map((name) => compose.networks[name]?.internal)).toEqual([true]);
  });

  it('gives secrets as files, each declared, each read by a service, none by value', () => {
    // The URL in a secret names a file itself.
    const [, authority] =
      /^echo "mysql:.*ca=(\/run\/secrets\/\w+)" > secrets\/database_url$/m.exec(text('docs/operations.md')) ?? [];
    const read = [gateway, database].flatMap(({ environment, command, secrets }) => {
      const values = [...Object.values(environment), ...command, ...(environment.DATABASE_URL_FILE ? [String(authority)] : [])];
      const files = values.flatMap((value) => /^(?:--[a-z-]+=)?\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? []);
      expect(files.sort()).toEqual([...secrets].sort());
      return secrets;
    });
    expect(read.sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const { environment } of [gateway, database])
      for (const [name, value] of Object.entries(environment))
        if (/KEY|TOKEN|SECRET|PASSWORD|URL/.test(name) && name !== 'MARIADB_RANDOM_ROOT_PASSWORD')
          expect(value).toMatch(/^\/run\/secrets\//);
  });

  it('names the files of every secret that the example configuration refers to', () => {
    const referred = [...text('counterfoil.example.yaml').matchAll(/^[^#]*\$\{([A-Z_]+)\}/gm)].map(([, name]) => `${name}_FILE`);
    expect(referred).not.toHaveLength(0);
    expect(Object.keys(gateway.environment)).toEqual(expect.arrayContaining(referred));
  });

  it('starts the gateway once the database is healthy, with as little as it needs', () => {
    expect(gateway.depends_on).toEqual({ database: { condition: 'service_healthy' } });
    expect(database.healthcheck?.test).toContain('healthcheck.sh');
    expect(database.image).toMatch(/^mariadb:\d+\.\d+$/);
    expect(gateway).toMatchObject({ build: '.', read_only: true, cap_drop: ['ALL'] });
  });
});
