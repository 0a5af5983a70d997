import type { RequestListener } from 'node:http';

export const helpdesk =
  (_gateway: string): RequestListener =>
  (_request, response) => {
    response.writeHead(404).end();
  };
