/** The grant type of the development service: a token for a named person without a browser. */
import type { errors, Provider } from 'oidc-provider';
import { personGrant } from './development-token.ts';
import { people, personOf } from './people.ts';
import { signingAlgorithm } from './signing-key.ts';

interface PersonParameters {
  readonly person?: string;
  readonly opaque?: string;
}

/** Parameters: `person`, and `opaque=true` for an opaque token that can be introspected and revoked. By default a JWT for the gateway with the person's roles, tenant and permission codes. */
export function addPersonGrant(provider: Provider, faults: typeof errors, gatewayUrl: string): void {
  provider.registerGrantType<PersonParameters>(
    personGrant,
    async (context) => {
      const { client, params } = context.oidc;
      const person = personOf(params.person);
      if (person === undefined)
        throw new faults.InvalidRequest(
          `person must be one of ${people.map((each) => each.subject).join(', ')}, or such a name with @<tenant>`,
        );
      const opaque = params.opaque === 'true';
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
      });
      if (!opaque) {
        token.resourceServer = new provider.ResourceServer(gatewayUrl, {
          scope,
          audience: gatewayUrl,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: signingAlgorithm } },
        });
      }
      context.oidc.entity('AccessToken', token);
      context.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope };
    },
    ['person', 'opaque'],
    [],
  );
}
