import type { ApprovalQueueData } from '../../graph/operations';
import type { Refusals } from '../../graph/refusals';
import { NotShown } from '../../parts/notices';
import { useText } from '../../text/catalogue';
import { commonTexts } from '../../text/common';
import { useFormats } from '../../text/formats';
import { words } from './words';

export type ShownEffect = NonNullable<ApprovalQueueData['holds']['nodes'][number]['effects']>[number];

/**
 * What a hold is to bring about, and how far that is. Nothing here looks stronger than it is: what only some systems keep to is said with who does, and
 * what isn't known is never taken for done.
 */
export const Effects = ({
  effects,
  refusals,
  isProposed,
}: {
  readonly effects: readonly ShownEffect[] | null;
  readonly refusals: Refusals;
  readonly isProposed: boolean;
}) => {
  const word = useText(words);
  const common = useText(commonTexts);
  const { time } = useFormats();
  const refusal = refusals.of('Hold.effects');
  if (refusal !== null) return <NotShown refusal={refusal} />;
  if (effects === null || effects.length === 0) return <>{common('none')}</>;
  const saysOf = ({ state, enforcedBy }: ShownEffect): string => {
    if (isProposed) return word('effectProposed');
    if (state === null) return word('effectUNKNOWN');
    if (state !== 'APPLIED') return word(`effect${state}`);
    return word(enforcedBy === 'PROVIDER' ? 'effectAppliedPROVIDER' : 'effectAppliedPIPELINE');
  };
  const isStrong = ({ state, enforcedBy }: ShownEffect) => !isProposed && state === 'APPLIED' && enforcedBy === 'PROVIDER';
  return (
    <ul className="plain">
      {effects.map((effect) => (
        <li key={effect.kind}>
          {effect.kind === null ? common('unknown') : word(`effect${effect.kind}`)}:{' '}
          <strong className={isStrong(effect) ? 'strong' : 'weak'}>{saysOf(effect)}</strong>.
          {effect.deadline === null || isProposed ? null : (
            <span className="quiet"> {word('effectEnds', { time: time(effect.deadline) })}.</span>
          )}
        </li>
      ))}
    </ul>
  );
};
