/** The mark's file can't be read, or not be written so that it outlasts a power cut. The message names the file and the system's code. */
export class MarkUnavailable extends Error {
  readonly code = 'MARK_UNAVAILABLE';
  readonly remedy =
    'audit.mark names a file in a folder that lasts (a volume), in which this process may make files; other signers have files of their own.';

  constructor(file: string, why: string) {
    super(`The mark of the audit log, ${file}, can't be kept: ${why}.`);
    this.name = 'MarkUnavailable';
  }
}
