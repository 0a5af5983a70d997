import { html } from '../html';
import { type Merchant, page, support } from './parts';

/** The one answer for a link that can't be used: unknown, used, expired and cancelled look the same. */
export const deadPage = (site: Merchant): string =>
  page(
    site,
    'This link cannot be used',
    html`<h1>This link can’t be used</h1>
<p>If you answered already, nothing more is to be done.</p>
<p>Otherwise it may have run out or been called off, or a part of the address is missing. Copy it as a whole from the message; if that doesn’t help, ${support(site)} and ask for a new one.</p>`,
  );

/** Where the provider sends the browser once the card was entered there. It says nothing of whether that is so. */
export const returnedPage = (site: Merchant): string =>
  page(
    site,
    'Back from the payment provider',
    html`<h1>You are back from the payment provider</h1>
<p>If you entered your new card there, it is being checked and nothing more is to be done. You can close this page.</p>
<p>If you did not finish, open the link in your message again.</p>`,
  );

/** Where the provider sends the browser of whoever left its page. */
export const cancelledPage = (site: Merchant): string =>
  page(
    site,
    'You left the payment provider',
    html`<h1>You left the payment provider’s page</h1>
<p>No new card was entered, and yours stays as it is.</p>
<p>To go on, open the link in your message again.</p>`,
  );

/** What a request that was not carried out is told. `advice` says what to do next. */
export const apologyPage = (site: Merchant, title: string, advice: string): string =>
  page(
    site,
    title,
    html`<h1>${title}</h1>
<p>${advice}</p>`,
  );
