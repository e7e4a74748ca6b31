/** Token formats of common services, as data. */
import { permissionCodes } from '../types/access.ts';
import type { ClaimMapping, ClaimPaths, IssuerSettings, Lookup } from './issuer.ts';
import { checkToken, userinfo, envelopeLookup } from './lookups/lookup-presets.ts';

/** Addresses that begin with a slash are relative to the service's base URL. */
export type Preset = Pick<IssuerSettings, 'tokens' | 'named' | 'keys' | 'lookups' | 'mapping'> & {
  /** One line of description. */
  readonly what: string;
};

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
  lookupPaths: {},
  rolePrefix: 'ROLE_',
  // Spring's roles are in upper case by convention: ROLE_ADMIN.
  roleMap: { ADMIN: 'admin', DEVELOPER: 'developer', USER: 'user', VIEWER: 'viewer' },
  rolesOnly: [],
  rolesIgnored: [],
  permissionPrefix: 'SCOPE_',
  permissionMap: {},
  tenant: null,
  maxRoles: null,
  defaultTenant: 'default',
  permissionSource: 'oauth',
  wildcards: true,
  serviceRole: 'service',
  serviceUsername: null,
};

const jwt = { tokens: 'jwt', named: true, keys: { from: 'discovery' } } as const;
/** Only the service can read its tokens, even when they look like a JWT. */
const opaque = { tokens: 'opaque', named: true, keys: { from: 'discovery' } } as const;

const withPaths = (changes: Partial<ClaimPaths>, others: Partial<ClaimMapping> = {}): ClaimMapping => ({
  ...base,
  ...others,
  paths: { ...paths, ...changes },
});

/** The user info endpoint of RuoYi and JeecgBoot, whose paths differ. */
const userInfoLookups = (url: string, success: number, result: string | null): readonly Lookup[] => [envelopeLookup(url, success, result)];

export const issuerPresets: Readonly<Record<string, Preset>> = {
  sas: {
    what: 'Spring Authorization Server: JWTs; roles at userinfo, codes in scope and authorities',
    ...jwt,
    lookups: [userinfo],
    // Its `aud` is the client.
    mapping: withPaths({ roles: ['roles', 'authorities'], client: ['azp', 'client_id', 'aud'] }),
  },
  'legacy-spring': {
    what: 'Spring Security OAuth before the Authorization Server: asked at /oauth/check_token',
    ...opaque,
    lookups: [checkToken],
    mapping: withPaths({
      subject: ['user_id', 'user_name', 'client_id'],
      roles: ['roles', 'authorities'],
      permissions: ['permissions', 'authorities', 'scope'],
    }),
  },
  youlai: {
    what: 'youlai-mall, on Spring Authorization Server: `authorities` holds the roles alone, the codes stay in its Redis',
    ...jwt,
    lookups: [],
    mapping: withPaths(
      { subject: ['userId', 'sub'], roles: ['authorities'], client: ['azp', 'client_id', 'aud'] },
      { permissionSource: 'role_defaults' },
    ),
  },
  ruoyi: {
    what: 'RuoYi-Vue and RuoYi-Cloud: asked at getInfo, where roles and permissions are',
    ...opaque,
    lookups: userInfoLookups('/getInfo', 200, null),
    mapping: withPaths({
      subject: ['user.userId'],
      username: ['user.userName'],
      tenant: ['user.tenantId'],
      roles: ['roles'],
      permissions: ['permissions'],
    }),
  },
  jeecg: {
    what: 'JeecgBoot: asked at /sys/user/getUserInfo; the roles follow from the grants here unless a SQL look-up brings them',
    ...opaque,
    lookups: [
      {
        ...envelopeLookup('/sys/user/getUserInfo', 200, 'result'),
        headers: { 'x-access-token': '{token}' },
        success: [{ path: 'success', is: [true] }],
        refusedStatuses: [401],
      },
    ],
    mapping: withPaths({ subject: ['userInfo.id'], username: ['userInfo.username'], tenant: ['userInfo.loginTenantId'] }),
  },
  pig: {
    what: 'pig: asked at /token/check_token, which answers roles (by id) and permissions together',
    ...opaque,
    lookups: [
      { ...checkToken, url: '/token/check_token', method: 'GET', form: {}, query: { token: '{token}' }, refusedStatuses: [400, 401, 424] },
    ],
    mapping: withPaths({
      subject: ['user_info.id', 'user_id', 'sub', 'client_id'],
      username: ['user_info.username', 'username', 'user_name', 'sub'],
      tenant: ['user_info.tenantId', 'tenant_id'],
      roles: ['authorities'],
      permissions: ['authorities', 'scope'],
    }),
  },
  yudao: {
    what: 'yudao (ruoyi-vue-pro): the token is checked with the service, then the person is asked about',
    ...opaque,
    lookups: [
      {
        ...envelopeLookup('/admin-api/system/oauth2/check-token', 0, 'data'),
        method: 'POST',
        headers: {},
        form: { token: '{token}' },
        asClient: 'basic',
        refusedStatuses: [],
        // A member of the shop may have the same number as an administrator. Only users of the back end (2) are accepted.
        refused: [
          { path: 'code', is: [401, 400] },
          { path: 'data.user_type', is: [1] },
        ],
      },
      { ...envelopeLookup('/admin-api/system/auth/get-permission-info', 0, 'data'), about: { path: 'user.id', optional: false } },
    ],
    mapping: withPaths({ subject: ['user_id'], username: ['user.username', 'user.nickname', 'user_id'], permissions: ['permissions'] }),
  },
  keycloak: {
    what: 'Keycloak: everything is in the token',
    ...jwt,
    lookups: [],
    mapping: withPaths(
      { roles: ['realm_access.roles'], permissions: ['permissions', 'realm_access.roles', 'scope'] },
      {
        permissionSource: 'role_defaults',
        rolesIgnored: ['offline_access', 'uma_authorization', 'default-roles-*'],
        serviceUsername: 'service-account-',
      },
    ),
  },
  generic: {
    what: 'Any other OpenID Connect service: everything is in the token',
    ...jwt,
    lookups: [],
    mapping: withPaths({ roles: ['roles', 'authorities'] }),
  },
};

/** The development identity service, whose tokens have this gateway as audience. */
export function developmentIssuer(issuer: string, gatewayUrl: string): IssuerSettings {
  const { what: _what, ...generic } = issuerPresets['generic'] as Preset;
  const scope = `openid profile ${permissionCodes.join(' ')}`;
  const client = { id: 'pailou-browser', secret: 'pailou-browser', scope, tokenUrl: null, lookupScope: null };
  return { issuer, baseUrl: issuer.replace(/\/$/, ''), client, audiences: [gatewayUrl], allowedClients: [], ...generic };
}
