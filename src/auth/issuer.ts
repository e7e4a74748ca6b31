/** One OAuth2 service whose tokens are taken, and how its tokens are read. Plain data. */

export type PrincipalField = 'subject' | 'username' | 'tenant' | 'roles' | 'permissions' | 'client';

/** Paths to look at, in order; for lists all of them are joined. A path is dotted; `a\.b` stands for one key with a dot. */
export type ClaimPaths = Readonly<Record<PrincipalField, readonly string[]>>;

export interface ClaimMapping {
  readonly paths: ClaimPaths;
  /** Taken off role names, e.g. `ROLE_`. */
  readonly rolePrefix: string;
  /** Names of the service's roles (or ids) to ours. */
  readonly roleMap: Readonly<Record<string, string>>;
  readonly defaultTenant: string;
  /** `oauth`: the codes come from the service. `role_defaults`: they follow from the role. */
  readonly permissionSource: 'oauth' | 'role_defaults';
  /** Codes that mean all nine, e.g. `*:*:*`. */
  readonly wildcards: readonly string[];
}

export interface IssuerSettings {
  /** As in the `iss` claim and in discovery. */
  readonly issuer: string;
  /** One of these must be in `aud`; empty for no such demand. */
  readonly audiences: readonly string[];
  /** One of these must be azp, client_id or in aud; empty for no such demand. */
  readonly allowedClients: readonly string[];
  readonly lookup: 'claims' | 'userinfo';
  readonly mapping: ClaimMapping;
}
