/** The verifier that auditors take along, as a module by itself: loaded when somebody wants a proof. */
export const loadVerifier = (): Promise<typeof import('../../../verifier/proof')> => import(PROOF_MODULE);
