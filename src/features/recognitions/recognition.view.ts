import { z } from 'zod';
import type { InvitationDesk, InvitationInput, InvitationView } from '../invitations/invitation.view';

const nullableText = z.string().nullable();

/** A payment as its customer is asked about it. Never a number, never a provider's token. */
export const askedPaymentSchema = z.object({
  /** In integer minor units of an ISO 4217 currency. */
  minorUnits: z.number(),
  currency: z.string(),
  /** UTC, ISO 8601. */
  at: z.string(),
  brand: nullableText,
  last4: nullableText,
  /** What the shop says of the order; null where it says nothing. */
  order: nullableText,
});
export type AskedPayment = z.infer<typeof askedPaymentSchema>;

/** What the customer is shown, and nothing else. All texts are plain; whoever writes them into a page escapes them. */
export interface RecognitionView extends InvitationView {
  readonly kind: 'PAYMENT';
  /** The helpdesk's number of the ticket. */
  readonly ticket: string;
  /** Who asks, as the helpdesk names them; null where nobody knows. */
  readonly askedBy: string | null;
  readonly payment: AskedPayment;
}

/** `agreed`: they say that they looked at it themselves. A program that opens the links of mails and presses a button doesn't. */
export type RecognitionField = 'agreed';

/** The customer's side of the question. */
export type RecognitionDesk = InvitationDesk<RecognitionView, RecognitionField, InvitationInput>;
