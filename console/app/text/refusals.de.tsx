import { type Refusal, saidBy } from '../graph/refusals';
import { codes, rules } from './codes.de';

/** Codes of many causes, of which the gateway's own sentence names one. */
const ofManyCauses = ['CONFLICT', 'INVALID', 'BAD_USER_INPUT'];

const own = (texts: Readonly<Record<string, string>>, name: string | null): string | undefined =>
  name !== null && Object.hasOwn(texts, name) ? texts[name] : undefined;

/** Why something was refused without a reason of the closed list, in German; what only the gateway can say is told in its language beside it. */
export default ({ refusal }: { readonly refusal: Refusal }) => {
  const english = <span lang="en">{saidBy(refusal)}</span>;
  const rule = own(rules, refusal.rule);
  if (rule !== undefined) return rule;
  const code = own(codes, refusal.code);
  if (code === undefined) return english;
  if (!ofManyCauses.includes(refusal.code)) return code;
  return (
    <>
      {code} {english}
    </>
  );
};
