/** What an auditor reads of each event by its name, as JSON: put in by the build out of the log's own catalogue (scripts/console.mjs). */
declare const EVENT_READS: string;

/** Where the verifier's module was built to, which nothing of the console is in. */
declare const PROOF_MODULE: string;
