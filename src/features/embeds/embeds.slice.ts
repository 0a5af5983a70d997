import { undemanded } from '../../authz/policy/signed-frames';
import type { Core } from '../core';
import type { SignIn } from '../sign-in/sign-in.slice';
import type { TicketGrounds } from '../tickets/tickets.policy';
import { ContextDenied, Contexts } from './contexts.service';
import { type CardSection, type EmbedsSection, type FramedSection, hasFrame } from './embeds.section';
import { FrameReach } from './frame-reach.service';
import { FrameRefused, FrameSessions } from './frame-sessions.service';
import { FrameUses } from './frame-uses';

/** Refusals of each kind that are put on record within a minute; what is beyond is counted only, as anybody can send such things. */
const mostOnRecord = 20;

export interface EmbedsParts {
  readonly signIn: SignIn | null;
  readonly scope: TicketGrounds;
}

/** Our panel in frames of helpdesks' pages; none where nobody signs in with a browser. */
export const createEmbeds = (core: Core, section: EmbedsSection, { signIn, scope }: EmbedsParts) => {
  const { database, keys, clock, publicUrl, policy, log } = core;
  const framed = section.filter(hasFrame);
  const embedOf = (source: string): FramedSection | undefined => framed.find((each) => each.source === source);
  const cardOf = (source: string): CardSection | undefined => {
    const signed = section.find((each) => each.source === source)?.signed;
    return signed?.kind === 'intercom' ? signed : undefined;
  };
  const reach = new FrameReach({ database, clock, embedOf, scope, policy });
  if (signIn === null || section.length === 0) return { service: null, reach, recurring: [] };
  const sources = undemanded(policy.frames, section);
  if (sources.length > 0)
    log.warn(
      { sources },
      'frames show a ticket also where nothing was signed, though these helpdesks sign: the policy demands it by frames.signatureRequired',
    );
  const uses = new FrameUses({ database, clock, keys });
  const frames = new FrameSessions({ database, keys, clock, sessions: signIn.sessions, uses });
  const contexts = new Contexts({ keys, clock, publicUrl, uses, embedOf, cardOf });
  let minute = { at: Number.NEGATIVE_INFINITY, counts: new Map<string, number>() };
  const refused = async (why: string): Promise<void> => {
    const now = clock().getTime();
    if (now - minute.at >= 60_000) minute = { at: now, counts: new Map() };
    const count = (minute.counts.get(why) ?? 0) + 1;
    minute.counts.set(why, count);
    if (count > mostOnRecord) return;
    await database.system('sign-in', 'frame.refuse', async (change) => {
      change.record('frame.refuse', { detail: { why } });
    });
  };
  const service = {
    frames,
    contexts,
    embedOf,
    cardOf,
    /** Puts on record why something that a frame brought was refused; other failures aren't that. */
    onRecord: async (error: unknown): Promise<void> => {
      if (error instanceof FrameRefused || error instanceof ContextDenied) await refused(error.why);
    },
  };
  return { service, reach, recurring: [() => frames.sweep(), () => uses.forget()] };
};

export type Embeds = NonNullable<ReturnType<typeof createEmbeds>['service']>;
