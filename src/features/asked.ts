import type { SignedInActor } from '../authz/actor';
import type { Core } from './core';
import type { ConfirmationField, ConfirmationInput } from './credentials/confirm/confirmation.view';
import { type CredentialParts, createCredentials } from './credentials/credentials.slice';
import type { AskedView } from './customer-desk';
import { Invitations } from './invitations/invitations.service';
import type { Loading } from './loading';
import { createRecognitions, type RecognitionSliceParts } from './recognitions/recognitions.slice';

export type AskedParts = CredentialParts & RecognitionSliceParts;

/** What customers are asked, each by a link of its own that they alone answer: changes of payment details, and whether a payment is theirs. */
export const createAsked = (core: Core, parts: AskedParts) => {
  const credentials = createCredentials(core, parts);
  const recognitions = createRecognitions(core, parts);
  const { jobs } = credentials.services;
  const { invitationJobs } = credentials;
  const outboxes = [jobs, invitationJobs, recognitions.jobs];
  return {
    services: {
      ...credentials.services,
      ...recognitions.services,
      invitations: new Invitations<AskedView, ConfirmationField, ConfirmationInput>([
        credentials.services.confirmations,
        recognitions.desk,
      ]),
    },
    recognitionJobs: recognitions.jobs,
    invitationJobs,
    loaders: (actor: SignedInActor, loading: Loading) => ({
      credentials: credentials.loader(actor, loading),
      recognitions: recognitions.loader(),
    }),
    recurring: [...credentials.recurring, ...recognitions.recurring],
    /** What is still to be done for all of it, by kind. */
    jobCounts: async () => (await Promise.all(outboxes.map((each) => each.counts()))).flat(),
    start: () => {
      for (const each of outboxes) each.start();
    },
    stop: () => Promise.all(outboxes.map((each) => each.stop())),
  };
};
