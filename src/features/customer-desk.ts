import type { ConfirmationField, ConfirmationInput, ConfirmationView } from './credentials/confirm/confirmation.view';
import type { InvitationAnswer, InvitationDesk } from './invitations/invitation.view';
import type { RecognitionView } from './recognitions/recognition.view';

/** Whatever a customer's link asks about. */
export type AskedView = ConfirmationView | RecognitionView;
export type CustomerAnswer = InvitationAnswer<AskedView, ConfirmationField>;
/** The customer's side of all of it. */
export type CustomerDesk = InvitationDesk<AskedView, ConfirmationField, ConfirmationInput>;
