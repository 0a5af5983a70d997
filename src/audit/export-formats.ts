/** How an export may be written. In a file of its own, which the command line loads to say so. */
export const exportFormats = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];
