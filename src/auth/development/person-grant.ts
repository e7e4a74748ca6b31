/** The development service's own grant type: a token for a named person, without a browser. */
import type Provider from 'oidc-provider';
import type { errors, KoaContextWithOIDC } from 'oidc-provider';
import { personGrant } from './development-token.ts';
import { people } from './people.ts';

/**
 * Parameters: `person`, and `opaque=true` for a token without content, good for userinfo and introspection.
 * Else a JWT for the gateway with the person's roles, tenant and permission codes.
 */
export function addPersonGrant(provider: Provider, faults: typeof errors, gatewayUrl: string): void {
  const handler = async (context: KoaContextWithOIDC): Promise<void> => {
    const { client, params } = context.oidc;
    const person = people.find((each) => each.subject === params?.['person']);
    if (client === undefined || person === undefined)
      throw new faults.InvalidRequest(`person must be one of ${people.map((each) => each.subject).join(', ')}`);
    const opaque = params?.['opaque'] === 'true';
    const scope = opaque ? 'openid profile' : person.permissions.join(' ');
    const grant = new provider.Grant({ accountId: person.subject, clientId: client.clientId });
    if (opaque) grant.addOIDCScope(scope);
    else grant.addResourceScope(gatewayUrl, scope);
    const token = new provider.AccessToken({
      accountId: person.subject,
      client,
      grantId: await grant.save(),
      gty: personGrant,
      scope,
    } as never);
    if (!opaque) {
      const information = { scope, audience: gatewayUrl, accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: 'ES256' as const } } };
      (token as { resourceServer?: unknown }).resourceServer = new provider.ResourceServer(gatewayUrl, information);
    }
    context.oidc.entity('AccessToken', token);
    context.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope };
  };
  provider.registerGrantType(personGrant, handler as never, ['person', 'opaque'], []);
}
