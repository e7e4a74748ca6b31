/** The settings of the OAuth2 services that issue the accepted tokens. */

export const oauthSettings = {
  PAILOU_OAUTH_ISSUER: {
    meaning: 'The OAuth2 service whose tokens are accepted.',
    form: 'an http:// or https:// address',
    example: 'https://auth.company.cn',
    default: 'the development identity service',
  },
  PAILOU_OAUTH_SERVICES: {
    meaning: 'A file that describes one OAuth2 service or several, where the variables here are not enough (docs/access.md).',
    form: 'a YAML or JSON file',
    example: '/etc/pailou/oauth.yaml',
    default: 'none',
  },
  PAILOU_OAUTH_PRESET: {
    meaning: 'What kind of service it is: where roles, permissions and tenant are found (docs/access.md).',
    form: 'a preset',
    example: 'keycloak',
    default: 'sas',
  },
  PAILOU_OAUTH_AUDIENCE: {
    meaning: 'The accepted audiences; a token must name one of them.',
    form: 'a comma-separated list',
    example: 'pailou',
    default: 'none',
  },
  PAILOU_OAUTH_ALLOWED_CLIENTS: {
    meaning: 'The accepted clients; the token must have been issued to one of them (azp, client_id or aud).',
    form: 'a comma-separated list',
    example: 'web,cli',
    default: 'none',
  },
  PAILOU_OAUTH_LOOKUP: {
    meaning:
      "Where roles and permissions come from: the token itself, or the service, queried in one of four ways. `keycloak_user` asks Keycloak's Admin API with Pailou's own client.",
    form: 'claims, userinfo, introspection, check_token or keycloak_user',
    example: 'userinfo',
    default: 'as the preset says',
  },
  PAILOU_OAUTH_CLIENT_ID: {
    meaning: 'The client of Pailou itself at the OAuth2 service, for look-ups of tokens (introspection, check_token).',
    form: 'a client id',
    example: 'pailou',
    default: 'none',
  },
  PAILOU_OAUTH_CLIENT_SECRET: {
    meaning: 'The secret of that client.',
    form: 'text',
    example: '…',
    default: 'none',
    secret: true,
  },
  PAILOU_OAUTH_CLI_CLIENT_ID: {
    meaning: 'The client of `pailou login` at the OAuth2 service: a public client (without a secret) with the device flow.',
    form: 'a client id',
    example: 'pailou-cli',
    default: 'none',
  },
  PAILOU_OAUTH_SCOPE: {
    meaning: 'The scopes that are requested when a person signs in.',
    form: 'scopes separated by spaces',
    example: 'openid profile roles',
    default: 'openid profile',
  },
  PAILOU_OAUTH_TOKEN_HEADER: {
    meaning: 'An additional header that may contain the token, besides Authorization and x-api-key.',
    form: 'the name of a header',
    example: 'X-Access-Token',
    default: 'none',
  },
  PAILOU_OAUTH_PROXY: {
    meaning: 'The proxy on the way to the OAuth2 service; `none` for a direct connection whatever HTTPS_PROXY says.',
    form: 'an address such as http://proxy.internal:3128 or socks5://proxy.internal:1080, or none',
    example: 'http://proxy.internal:3128',
    default: 'as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say',
    secret: true,
  },
  PAILOU_OAUTH_CLAIMS: {
    meaning: 'Own paths of claims, in order, by field: subject, username, tenant, roles, permissions, client.',
    form: 'a JSON object of lists of paths',
    example: '{"roles":["realm_access.roles"]}',
    default: 'as the preset says',
  },
  PAILOU_OAUTH_PERMISSION_SOURCE: {
    meaning: "oauth: the nine codes come from the service. role_defaults: they follow from the role's name.",
    form: 'oauth or role_defaults',
    example: 'role_defaults',
    default: 'as the preset says',
  },
  PAILOU_OAUTH_TENANT: {
    meaning: 'The tenant of all callers; claims of the token are ignored.',
    form: 'at most 128 characters',
    example: 'company',
    default: 'as the token says',
  },
  PAILOU_OAUTH_MAX_ROLES: {
    meaning:
      'The highest roles that tokens of the service may carry: a role that reaches further is reduced to the highest of these within it. Role names beside the four must be listed to count.',
    form: 'a comma-separated list',
    example: 'developer,viewer',
    default: 'any',
  },
  PAILOU_OAUTH_INSECURE_ANY_AUDIENCE: {
    meaning: 'Accepts tokens that were issued for any service. Only for trials.',
    form: 'true or false',
    example: 'true',
    default: 'false',
  },
} as const;
