/** How the usual services shape their tokens, as data. */
import type { OauthSettings } from '../config/settings.ts';
import { GatewayError } from '../types/errors.ts';
import type { ClaimMapping, ClaimPaths, IssuerSettings } from './issuer.ts';

interface Preset {
  readonly lookup: IssuerSettings['lookup'];
  readonly mapping: ClaimMapping;
}

const paths: ClaimPaths = {
  subject: ['sub'],
  username: ['preferred_username', 'username', 'user_name', 'name', 'sub'],
  tenant: ['tenant_id', 'tenant'],
  roles: ['roles'],
  permissions: ['permissions', 'authorities', 'scope', 'scp'],
  client: ['azp', 'client_id'],
};

const base: ClaimMapping = {
  paths,
  rolePrefix: 'ROLE_',
  // Spring's roles are upper case by custom: ROLE_ADMIN.
  roleMap: { ADMIN: 'admin', DEVELOPER: 'developer', USER: 'user', VIEWER: 'viewer' },
  defaultTenant: 'default',
  permissionSource: 'oauth',
  wildcards: true,
  serviceRole: 'service',
};

export const issuerPresets: Readonly<Record<string, Preset>> = {
  // Spring Authorization Server: roles at userinfo, codes in scope and authorities. Its `aud` is the client.
  sas: {
    lookup: 'userinfo',
    mapping: { ...base, paths: { ...paths, roles: ['roles', 'authorities'], client: ['azp', 'client_id', 'aud'] } },
  },
  // youlai-mall, on Spring Authorization Server: `authorities` holds the roles alone, the codes stay in its Redis.
  youlai: {
    lookup: 'claims',
    mapping: {
      ...base,
      paths: { ...paths, subject: ['userId', 'sub'], roles: ['authorities'], client: ['azp', 'client_id', 'aud'] },
      permissionSource: 'role_defaults',
    },
  },
  keycloak: {
    lookup: 'claims',
    mapping: {
      ...base,
      paths: { ...paths, roles: ['realm_access.roles'], permissions: ['permissions', 'realm_access.roles', 'scope'] },
      permissionSource: 'role_defaults',
    },
  },
  // A service of which nothing is known but OpenID Connect: everything is in the token.
  generic: { lookup: 'claims', mapping: base },
};

/** The settings of the configured issuer. Throws `configuration_invalid` for an unknown preset. */
export function issuerFromSettings(oauth: OauthSettings & { readonly issuer: string }): IssuerSettings {
  const preset = Object.hasOwn(issuerPresets, oauth.preset) ? issuerPresets[oauth.preset] : undefined;
  if (preset === undefined) {
    throw new GatewayError(
      'configuration_invalid',
      `PAILOU_OAUTH_PRESET: there is no preset "${oauth.preset}"; use one of ${Object.keys(issuerPresets).join(', ')}.`,
      { param: 'PAILOU_OAUTH_PRESET' },
    );
  }
  return {
    issuer: oauth.issuer,
    audiences: oauth.audiences,
    allowedClients: oauth.allowedClients,
    lookup: oauth.lookup ?? preset.lookup,
    mapping: {
      ...preset.mapping,
      paths: { ...preset.mapping.paths, ...oauth.claims },
      permissionSource: oauth.permissionSource ?? preset.mapping.permissionSource,
    },
  };
}

/** The development identity service, whose tokens are meant for this gateway. */
export function developmentIssuer(issuer: string, gatewayUrl: string): IssuerSettings {
  const generic = issuerPresets['generic'] as Preset;
  return { issuer, audiences: [gatewayUrl], allowedClients: [], ...generic };
}
