import { faultOf } from './key-file';

describe('who may read and write a file of keys', () => {
  const own = 1_000;

  test.each([0o600, 0o400, 0o640, 0o440, 0o100600])('mode %o is taken of the process and of root', (mode) => {
    expect([faultOf({ mode, uid: own }, own), faultOf({ mode, uid: 0 }, own)]).toEqual([null, null]);
  });

  test.each([0o604, 0o602, 0o601, 0o620, 0o660, 0o610, 0o644, 0o777])('mode %o is refused, whoever owns it', (mode) => {
    const isRefused = mode & 0o027 ? expect.stringContaining('chmod 600') : null;
    expect([faultOf({ mode, uid: own }, own), faultOf({ mode, uid: 0 }, own)]).toEqual([isRefused, isRefused]);
  });

  test('a file of another user is refused: they can replace it', () => {
    expect(faultOf({ mode: 0o600, uid: 1_001 }, own)).toContain('belongs to another user');
    expect(faultOf({ mode: 0o400, uid: 1_001 }, 0)).toContain('belongs to another user');
  });
});
