import type { AuditSection } from './audit.section';
import type { MarkPlace } from './mark';

/** How the log is kept, as it is configured. */
export interface AuditSettings {
  readonly origin: string;
  readonly anchors: AuditSection['anchors'];
  /** What `parseSigningKeys` takes, or the file that is made with a key in development; null in a process that doesn't sign. */
  readonly signingKey: { readonly value: string } | { readonly file: string } | null;
  /** Where whoever signs keeps the high-water mark. */
  readonly mark?: MarkPlace | null;
  /** Public keys that are trusted beside the signing key's own, `name+hash+base64`: where another process signs, all there are. */
  readonly keys?: readonly string[] | undefined;
  /** Where another process signs, in development: the file that its key would be in. */
  readonly developmentKeyFile?: string | null;
}
