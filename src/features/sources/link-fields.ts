import type { HelpdeskConnector } from '../../upstream/helpdesk/helpdesk.port';

/** Helpdesk sources whose configured link field agents can write, or may be able to: its values link nobody. */
export const unprotectedLinkFields = async (
  helpdesks: readonly { readonly name: string; readonly connector: HelpdeskConnector }[],
): Promise<readonly { readonly source: string; readonly why: string }[]> => {
  const checked = await Promise.allSettled(
    helpdesks.map(async ({ name, connector }) => ({ source: name, check: await connector.checkLinkField?.() })),
  );
  return checked.flatMap((each) => {
    if (each.status === 'rejected') return [];
    const { source, check } = each.value;
    return check && !check.isProtected ? [{ source, why: check.why }] : [];
  });
};
