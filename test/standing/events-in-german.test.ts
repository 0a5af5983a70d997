import german from '../../console/app/screens/auditor/reads.de';
import { catalogue } from '../../src/audit/events';

const namesIn = (text: string): readonly string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, name = '']) => name).sort();

it('each event of the log has its sentence in German, and no other has one', () => {
  expect(Object.keys(german).sort()).toEqual(Object.keys(catalogue).sort());
});

// What a leaf states is told by its name, which is the same in every language.
it.each(Object.entries(catalogue))('%s names the same in German as in English', (name, { reads }) => {
  expect(namesIn(german[name] ?? '')).toEqual(namesIn(reads));
});
