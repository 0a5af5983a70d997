/** What an auditor reads of each event by its name, as JSON: put in by the build out of the log's own catalogue (scripts/console.mjs). */
declare const EVENT_READS: string;
