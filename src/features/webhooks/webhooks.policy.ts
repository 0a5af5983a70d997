import { action, allOf, hasMfa, hasRole } from '../../authz/rule';

export const webhookActions = {
  replay: action('webhook.replay', allOf(hasRole('ADMIN', 'PAYMENTS'), hasMfa)),
};
