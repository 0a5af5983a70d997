import type { DatabaseLocation } from '../../src/db/location';

/** What stands in DATABASE_URL for a location, whatever is in its parts. */
export const urlOf = (location: DatabaseLocation): string => {
  if (location.engine === 'sqlite') return `sqlite:${location.file}`;
  const { host, port, user, password, name, tls, socket } = location;
  const parameters = [
    ...(tls === null ? [] : ['tls=verify', ...(tls.ca === null ? [] : [`ca=${encodeURIComponent(tls.ca)}`])]),
    ...(socket === null ? [] : [`socket=${encodeURIComponent(socket)}`]),
  ];
  const [u, p, n] = [user, password, name].map(encodeURIComponent);
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `mysql://${u}${password === '' ? '' : `:${p}`}@${at}/${n}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
};
