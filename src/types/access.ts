/** Words of the permission model: who is calling, what they want, what they want it with. DESIGN sections 2 and 7. */

export const capabilityKinds = ['model', 'skill', 'mcp'] as const;
export type CapabilityKind = (typeof capabilityKinds)[number];

export const actions = ['view', 'use', 'manage'] as const;
export type Action = (typeof actions)[number];

/** The nine codes, e.g. `llm:model:use`. They say what kind of act is allowed. */
export type PermissionCode = `llm:${CapabilityKind}:${Action}`;
export const permissionCodes: readonly PermissionCode[] = capabilityKinds.flatMap((kind) =>
  actions.map((action): PermissionCode => `llm:${kind}:${action}`),
);

/** The four roles say how far an allowed act reaches. A caller may hold other role names too; they reach as far as `user`. */
export const roles = ['admin', 'developer', 'user', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** Who is calling. Frozen, made only from a verified credential. */
export interface Principal {
  /** Stable identity within the issuer (`sub`, or what the mapping names). */
  readonly subject: string;
  /** Shown to people; never used to decide. */
  readonly username: string;
  readonly tenant: string;
  /** Role names as mapped: the four and any others (grants may name them). */
  readonly roles: readonly string[];
  readonly permissions: ReadonlySet<PermissionCode>;
  /** OAuth2 client that the token was issued to, if it says so. */
  readonly client: string | null;
  readonly issuer: string;
  /** `session`: a person in a browser, behind whose cookie is a token. */
  readonly credential: 'token' | 'key' | 'session';
  /** The id of the key, where the credential is one. */
  readonly key?: string;
  /** What a key narrows its owner's reach to, as capability patterns; left out: to nothing less. */
  readonly within?: readonly string[];
  /** Epoch milliseconds after which the credential is void. */
  readonly expiresAt: number;
}

/** The person behind the credential, the same whatever client or key is used. */
export function personKey({ tenant, issuer, subject }: Pick<Principal, 'tenant' | 'issuer' | 'subject'>): string {
  return `${tenant}\n${issuer}\n${subject}`;
}

/** A thing that a decision is about. `owner` is the person who owns it (`personRef`), or null for nobody. */
export interface Capability {
  readonly kind: CapabilityKind;
  /** `gpt-4o`, `doc-summary`, `files` or, for one tool, `files/read`. */
  readonly name: string;
  readonly tenant: string;
  readonly owner: string | null;
  readonly tags: readonly string[];
  /** The id of its row, or of its server's row. Absent for what has no row yet: no grant on one thing reaches that. */
  readonly row?: string;
  /** The tags by which grants reach it. Absent where no administrator approved its name: neither patterns nor tags of grants reach it. */
  readonly approvedTags?: readonly string[];
}

/** The answer of the one decision function. `rule` is a stable word, `reason` a sentence for people. */
export type Decision =
  | { readonly allowed: true; readonly rule: string; readonly reason: string }
  /** `param`: the field at which a write reaches too far. */
  | { readonly allowed: false; readonly status: 403 | 404; readonly rule: string; readonly reason: string; readonly param?: string };

/** Which capabilities of a tenant are granted to a principal; compiled once per snapshot. */
export interface GrantIndex {
  /** The id of a live grant that gives `action` (use implies view) on the capability, or null. `now` in epoch ms. */
  find(principal: Principal, action: 'view' | 'use', capability: Capability, now: number): string | null;
}
