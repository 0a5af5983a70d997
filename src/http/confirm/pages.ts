import type { ConfirmationView } from '../../features/credentials/confirm/confirmation.view';
import type { AskedView } from '../../features/customer-desk';
import type { RecognitionView } from '../../features/recognitions/recognition.view';
import type { Merchant } from './parts';
import { disownedPage, paymentPage, recognizedPage } from './recognition.page';
import { confirmedPage, continuePage, type Filling, questionPage, refusedPage } from './update.page';

export { apologyPage, cancelledPage, deadPage, returnedPage } from './page';

/** The pages of what a customer is asked: the question, and what they see after their answer. */
interface QuestionPages<View> {
  asked(site: Merchant, view: View, filling: Filling): string;
  confirmed(site: Merchant, view: View, waitsForApproval: boolean): string;
  refused(site: Merchant, view: View): string;
}

const updatePages: QuestionPages<ConfirmationView> = {
  asked: (site, view, filling) => (view.stage === 'AT_PROVIDER' ? continuePage : questionPage)(site, view, filling),
  confirmed: confirmedPage,
  refused: refusedPage,
};

const recognitionPages: QuestionPages<RecognitionView> = {
  asked: paymentPage,
  confirmed: recognizedPage,
  refused: disownedPage,
};

/** By what is asked: a view whose pages aren't here doesn't compile. */
export const pagesOf = {
  REPLACE_CARD: updatePages,
  BILLING_ADDRESS: updatePages,
  SET_DEFAULT: updatePages,
  REMOVE: updatePages,
  PAYMENT: recognitionPages,
} as const satisfies Readonly<Record<AskedView['kind'], unknown>>;

/** The pages of what this view asks. */
export const pagesFor = (view: AskedView): QuestionPages<AskedView> => pagesOf[view.kind];
