import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kept } from './kept';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-'));
  file = join(folder, 'kept.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what is kept is there again after a restart, for this user only, and what was over is not', async () => {
  const kept = new Kept(file);
  await kept.ofKind('Session').upsert('one', { uid: 'u', accountId: 'ana' }, 60);
  await kept.ofKind('Session').upsert('over', { uid: 'o' }, 0);
  kept.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = new Kept(file).ofKind('Session');
  expect([await again.find('one'), await again.findByUid('u'), await again.find('over'), await again.findByUid('o')]).toEqual([
    { uid: 'u', accountId: 'ana' },
    { uid: 'u', accountId: 'ana' },
    undefined,
    undefined,
  ]);
});

test('kinds are apart, what is used is marked, and what is destroyed is gone', async () => {
  const kept = new Kept(file);
  const codes = kept.ofKind('AuthorizationCode');
  await codes.upsert('x', { grantId: 'g' }, 60);
  expect(await kept.ofKind('Session').find('x')).toBeUndefined();
  await codes.consume('x');
  expect(await codes.find('x')).toEqual({ grantId: 'g', consumed: expect.any(Number) });
  await codes.destroy('x');
  expect(await codes.find('x')).toBeUndefined();
});

test('a grant takes its tokens with it, and nobody else’s', async () => {
  const kept = new Kept(file);
  const tokens = kept.ofKind('RefreshToken');
  await tokens.upsert('mine', { grantId: 'g' }, 60);
  await tokens.upsert('other', { grantId: 'h' }, 60);
  await kept.ofKind('AccessToken').upsert('mine', { grantId: 'g' }, 60);
  await kept.ofKind('Device').upsert('g', { device: 'd' }, 60);
  await tokens.revokeByGrantId('g');
  expect([await tokens.find('mine'), await kept.ofKind('AccessToken').find('mine')]).toEqual([undefined, undefined]);
  expect([await tokens.find('other'), await kept.ofKind('Device').find('g')]).toEqual([{ grantId: 'h' }, { device: 'd' }]);
});

test('no more is kept than there is room for: the oldest go', async () => {
  const kept = new Kept(file).ofKind('Interaction');
  for (let n = 0; n <= 2_000; n += 1) await kept.upsert(String(n), {}, 60);
  expect([await kept.find('0'), await kept.find('1'), await kept.find('2000')]).toEqual([undefined, {}, {}]);
});

test.each(['', '{', '[1]', 'null', '[["Session:x",{"content":{}}]]'])(
  'a file that is %p keeps nobody from signing in',
  async (text) => {
    writeFileSync(file, text);
    const kept = new Kept(file);
    expect(await kept.ofKind('Session').find('x')).toBeUndefined();
    await kept.ofKind('Session').upsert('y', {}, 60);
    kept.close();
    expect(readFileSync(file, 'utf8')).toContain('Session:y');
  },
);
