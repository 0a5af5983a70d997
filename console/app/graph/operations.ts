// Made by scripts/console-operations.mjs from the .graphql files of this folder and schema/schema.graphql. Not to be edited.

import { operation } from './operation';

export type Channel = 'API' | 'CHAT' | 'EMAIL' | 'OTHER' | 'PHONE' | 'SMS' | 'SOCIAL' | 'WEB';
export type Role = 'ADMIN' | 'AGENT' | 'AUDITOR' | 'PAYMENTS' | 'PRIVACY' | 'SERVICE' | 'SUPERVISOR';
export type TicketStatus = 'CLOSED' | 'NEW' | 'OPEN' | 'PENDING' | 'RESOLVED';

export interface TicketListData {
  readonly tickets: {
    readonly nodes: readonly {
      readonly id: string;
      readonly source: string;
      readonly reference: string;
      readonly subject: string | null;
      readonly status: TicketStatus | null;
      readonly channel: Channel | null;
      readonly updatedAt: string | null;
      readonly freshness: { readonly stale: boolean };
    }[];
    readonly totalCount: number;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}
export type TicketListVariables = { readonly after?: string | null | undefined };
export const TicketList = operation<TicketListData, TicketListVariables>(
  'query',
  'query TicketList($after:String){tickets(first:25 after:$after){nodes{id source reference subject status channel updatedAt freshness{stale}}totalCount pageInfo{hasNextPage endCursor}}}',
);

export interface WhoAmIData {
  readonly viewer: {
    readonly id: string;
    readonly roles: readonly Role[];
    readonly teams: readonly string[];
    readonly mfa: boolean;
  };
}
export type WhoAmIVariables = Record<string, never>;
export const WhoAmI = operation<WhoAmIData, WhoAmIVariables>('query', 'query WhoAmI{viewer{id roles teams mfa}}');
