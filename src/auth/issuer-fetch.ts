/** The connections to an OAuth2 service: through the issuer's own proxy, else as the environment says. */
import type { OutboundClient } from '../outbound/client.ts';
import type { IssuerSettings } from './issuer.ts';

export function issuerFetch(client: OutboundClient): (issuer: IssuerSettings) => typeof fetch {
  return ({ proxy }) => (proxy === undefined ? client : client.via(proxy)).fetch;
}
