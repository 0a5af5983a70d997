import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { ConfiguredEmbed } from '../authz/policy/signed-frames';

/** By which channels a customer can be reached, files of development included. */
export interface DeliveryChannelNames {
  readonly mail: boolean;
  readonly sms: boolean;
}

/** A file that has the section is judged by it alone. Without it, development writes files and production reaches nobody. */
export const channelsOf = (section: Readonly<Record<string, unknown>> | undefined, production: boolean): DeliveryChannelNames => {
  const has = (name: 'mail' | 'sms') => (section === undefined ? !production : section[name] !== undefined);
  return { mail: has('mail'), sms: has('sms') };
};

/** What of the file says how customers are reached, whatever else stands in it. */
export const deliveryOutline = z.object({
  merchant: z.unknown().optional(),
  publicUrl: z.unknown().optional(),
  delivery: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

/** A handful saves repeating a setting; many make a small file a large one. */
export const mostAliases = 20;

const embedsOutline = z.object({
  embeds: z.array(z.object({ source: z.string(), signed: z.object({ kind: z.string() }).optional() })).default([]),
});

/** What of a file a policy is judged by. */
export interface PolicyOutline {
  readonly channels: DeliveryChannelNames;
  /** Null where the file doesn't say. */
  readonly embeds: readonly ConfiguredEmbed[] | null;
}

/** Which channels the file has and where frames are, whatever else it holds; a file that can't be read has none, which `loadConfig` reports. */
export const outlineOfFile = (file: string, production: boolean): PolicyOutline => {
  let content: unknown;
  try {
    content = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: false }).toJS({ maxAliasCount: mostAliases });
  } catch {
    // It may not be there at all, as in development.
  }
  return {
    channels: channelsOf(deliveryOutline.safeParse(content).data?.delivery, production),
    embeds: embedsOutline.safeParse(content).data?.embeds ?? null,
  };
};
