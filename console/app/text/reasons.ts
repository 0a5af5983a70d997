import { type Refusal, saidBy } from '../graph/refusals';
import { catalogue, type TextsLike, useText } from './catalogue';

/** Why something was denied, and what would lift it, by the gateway's reason: as the gateway says it, for somebody at a screen. */
const english = {
  ROLE: 'Your role may not see or do this. The payments team decides that.',
  MFA_REQUIRED: 'Sign in with a second factor.',
  NO_ASSISTANCE: 'You have no access to this customer here. Ask for it, with a reason.',
  ASSISTANCE_ENDED: 'Your access has ended. Open the ticket again if it is still yours.',
  APPROVAL_REQUIRED: 'A supervisor ended your access on this ticket. Ask again; a supervisor has to agree.',
  OWN_REQUEST: 'Somebody else has to do this.',
  OWN_CONTACT: 'The message would reach a mailbox of your own. Somebody else has to do this.',
  CONTACT: 'The customer’s address changed lately or is a member of staff’s. Ask them in another way.',
  RECENT_LOGIN_REQUIRED: 'Confirm that it is you, and do it again within a few minutes.',
  SELF_MADE: 'You created this ticket or set its customer yourself. Ask for access, with a reason.',
  TICKET_CLOSED: 'The ticket is closed. Reopen it in the helpdesk if work goes on.',
  QUOTA: 'You have reached a limit. Wait, or ask a supervisor.',
  STALE: 'The helpdesk doesn’t answer just now. Try again when it does.',
  LINK: 'Nobody on the payment side is known to be this customer. The payments team can link them there.',
  NOT_FILTERABLE: 'Your role may not filter by this.',
  NOT_SORTABLE: 'Your role may not sort by this.',
  SCOPE: 'This lies outside what you work with.',
  BRAKE: 'A rule stopped this for you until two others release it. Ask a supervisor of another team, or an auditor.',
  UNREGISTERED: 'The gateway doesn’t know this version of the page. Load it again, or tell your operator.',
  FRAME: 'This isn’t done in the helpdesk’s page. Open the ticket in the console.',
  UNSIGNED: 'The helpdesk signed nothing for this ticket. Load its page again.',
  ACTOR_MISMATCH: 'The helpdesk names another person than the one who is signed in here.',
} as const;
export type ReasonTexts = TextsLike<typeof english>;

const reasonTexts = catalogue(english, () => import('./reasons.de'));

/** Why something was denied in the reader's words; as the gateway says it where these have none for it. */
export default ({ refusal }: { readonly refusal: Refusal }): string => {
  const t = useText(reasonTexts);
  const { reason } = refusal;
  return reason !== null && Object.hasOwn(english, reason) ? t(reason as keyof typeof english) : saidBy(refusal);
};
