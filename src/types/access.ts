/** Types of the permission model: the caller, the action and the capability. DESIGN sections 2 and 7. */

export const capabilityKinds = ['model', 'skill', 'mcp'] as const;
export type CapabilityKind = (typeof capabilityKinds)[number];

export const actions = ['view', 'use', 'manage'] as const;
export type Action = (typeof actions)[number];

/** The nine codes, e.g. `llm:model:use`. They say what kind of act is allowed. */
export type PermissionCode = `llm:${CapabilityKind}:${Action}`;
export const permissionCodes: readonly PermissionCode[] = capabilityKinds.flatMap((kind) =>
  actions.map((action): PermissionCode => `llm:${kind}:${action}`),
);

/** The four roles define how far an allowed action reaches. A caller may hold other role names too; those reach as far as `user`. */
export const roles = ['admin', 'developer', 'user', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** The caller. Frozen, and created only from a verified credential. */
export interface Principal {
  /** Stable identity within the issuer: `sub`, or the claim of the mapping. */
  readonly subject: string;
  /** For display; never used in a decision. */
  readonly username: string;
  readonly tenant: string;
  /** Role names as mapped: the four and any others, which grants may name. */
  readonly roles: readonly string[];
  readonly permissions: ReadonlySet<PermissionCode>;
  /** The OAuth2 client that the token was issued to; null when the token does not name one. */
  readonly client: string | null;
  readonly issuer: string;
  /** True for a service account (client credentials). Absent: a person. */
  readonly isService?: boolean;
  /** `session`: a browser session whose cookie refers to a stored token. */
  readonly credential: 'token' | 'key' | 'session';
  /** The id of the key when the credential is a key. */
  readonly key?: string;
  /** `mcp`: the token of an MCP client, which opens /mcp alone. Absent: every call. */
  readonly surface?: 'mcp';
  /** The id of the team of a service account. Grants to the account itself do not count then: it has the rights of the team. */
  readonly team?: string;
  /** Capability patterns that restrict a key. Absent: no restriction. */
  readonly within?: readonly string[];
  /** Epoch milliseconds at which the credential expires. */
  readonly expiresAt: number;
}

type PersonOfTenant = Pick<Principal, 'tenant' | 'issuer' | 'subject'>;

/** Kept with the principal, because each call asks several times. */
const personKeys = new WeakMap<PersonOfTenant, string>();

/** The person behind the credential. The same for every client and key of that person. */
export function personKey(person: PersonOfTenant): string {
  let key = personKeys.get(person);
  if (key === undefined) personKeys.set(person, (key = `${person.tenant}\n${person.issuer}\n${person.subject}`));
  return key;
}

/** The subject of a decision. `owner` is the person who owns it (`personRef`), or null when it has no owner. */
export interface Capability {
  readonly kind: CapabilityKind;
  /** `gpt-4o`, `doc-summary`, `files` or, for one tool, `files/read`. */
  readonly name: string;
  readonly tenant: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  /** The id of its row, or of its server's row. Absent when it has no row yet: grants on single rows do not reach it then. */
  readonly row?: string;
  /** The tags by which grants reach it. Absent when no administrator approved its name: patterns and tags of grants do not reach it then. */
  readonly approvedTags?: readonly string[];
  /** The tenant whose row it is, when another tenant shares it with this one. */
  readonly sharedBy?: string;
}

/** The result of a decision. `rule` is a stable identifier, `reason` a sentence for people. */
export type Decision =
  | { readonly allowed: true; readonly rule: string; readonly reason: string }
  /** `param`: the field of a write that needs a right that the writer lacks. */
  | { readonly allowed: false; readonly status: 403 | 404; readonly rule: string; readonly reason: string; readonly param?: string };

/** The capabilities of a tenant that are granted to a principal. Compiled once per snapshot. */
export interface GrantIndex {
  /** The id of a valid grant of `action` on the capability, or null. `use` implies `view`. `now` in epoch milliseconds. */
  find(principal: Principal, action: 'view' | 'use', capability: Capability, now: number): string | null;
}
