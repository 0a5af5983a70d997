import { readFileSync } from 'node:fs';
import { codes, rules } from '../../console/app/text/codes.de';
import { denialRemedies, failureCodes } from '../../src/failure';
import { servedFiles } from '../support/source-files';

it('each code that a caller is told has its sentence in German', () => {
  expect(Object.keys(codes)).toEqual(expect.arrayContaining([...failureCodes, 'INTERNAL']));
});

it('each reason of a denial has one too, and nothing else has', () => {
  const german = Array.from(
    readFileSync('console/app/text/reasons.de.ts', 'utf8').matchAll(/^ {2}([A-Z_]+):/gm),
    ([, name]) => name,
  );
  expect(german.sort()).toEqual(Object.keys(denialRemedies).sort());
});

it('each rule that has one is a rule of the gateway', () => {
  const text = [...servedFiles().values()].join('\n');
  expect(Object.keys(rules).filter((rule) => !text.includes(`rule: '${rule}'`))).toEqual([]);
});
