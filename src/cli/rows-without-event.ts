import type { Reads } from '../db/reads';
import { subjects } from '../features/subjects';
import { type SubjectFinding, SubjectRows, subjectFaults } from '../ledger/subjects';

/** Subjects looked at at once. */
const subjectsAtOnce = 500;
/** Ids that are named of one kind. */
const mostNamed = 20;

interface HeldAgainstEvents {
  /** One line a kind and fault, with ids, twenty of them at most. */
  readonly findings: readonly string[];
  /** What nothing in the log states, since it was recorded before events did: one line a kind. */
  readonly said: readonly string[];
}

/** What events are about, held against them at once, as a running gateway does in small steps. */
export const rowsWithoutEvent = async (reads: Reads): Promise<HeldAgainstEvents> => {
  const found: SubjectFinding[] = [];
  const unstated = new Map<string, number>();
  for await (const step of new SubjectRows(reads, subjects).steps(subjectsAtOnce)) {
    found.push(...step.findings);
    for (const kind of step.unstated) unstated.set(kind, (unstated.get(kind) ?? 0) + 1);
  }
  const kinds = subjects.flatMap((subject) => subject.kinds);
  return {
    findings: kinds.flatMap((kind) =>
      subjectFaults.flatMap((fault) => {
        const ids = found
          .filter((finding) => finding.kind === kind && finding.fault === fault)
          .map(({ id }) => id)
          .sort();
        if (ids.length === 0) return [];
        return [`${ids.length} ${kind} ${fault}: ${ids.slice(0, mostNamed).join(', ')}${ids.length > mostNamed ? ', …' : ''}`];
      }),
    ),
    said: [...unstated].map(
      ([kind, count]) => `rows: ${count} ${kind} were recorded before events stated whose they are: nothing in the log says that`,
    ),
  };
};
