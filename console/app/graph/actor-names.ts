import { useCallback, useRef, useState } from 'react';
import { ActorNames, type ActorNamesData } from './operations';
import { offline, type Refusal } from './refusals';
import { askOnce } from './use';

type Named = ActorNamesData['auditActors'][number];

/** Of which there are names to look up: `act_` stands for somebody who signed in, each of them once. One look-up gives 50. */
export const lookedUp = (ids: readonly string[]): readonly string[] =>
  [...new Set(ids)].filter((id) => id.startsWith('act_')).slice(0, 50);

export interface NameLookUp {
  /** What was found so far, by id; null of whom the gateway doesn't know. */
  readonly named: ReadonlyMap<string, Named | null>;
  readonly refusal: Refusal | null;
  readonly isBusy: boolean;
  readonly ask: (ids: readonly string[]) => Promise<void>;
}

/** What those are called whom ids stand for. It is asked by a press and never again by itself: the log has each look-up, and who made it. */
export const useNameLookUp = (): NameLookUp => {
  const [named, setNamed] = useState<ReadonlyMap<string, Named | null>>(new Map());
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const busy = useRef(false);
  const ask = useCallback(async (ids: readonly string[]) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    const { data, refusals } = await askOnce(ActorNames, { ids });
    if (data !== null) {
      const found = ids.map((id) => [id, data.auditActors.find((each) => each.id === id) ?? null] as const);
      setNamed((before) => new Map([...before, ...found]));
    }
    setRefusal(data === null ? (refusals.first ?? offline) : refusals.first);
    busy.current = false;
    setBusy(false);
  }, []);
  return { named, refusal, isBusy, ask };
};
