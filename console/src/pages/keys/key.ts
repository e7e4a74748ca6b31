/** A key as the gateway shows it. The key itself is in the answer of its creation alone. */
export interface ApiKey {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  /** The service account that owns it; null for a person's key. */
  readonly service: string | null;
  readonly made_by: string;
  /** The first characters. */
  readonly hint: string;
  readonly permissions: readonly string[];
  readonly capabilities: readonly string[] | null;
  readonly expires_at: string;
  readonly last_used_at: string | null;
  readonly replaced_by: string | null;
}

export interface NewKey extends ApiKey {
  readonly key: string;
}

export function stateOf({ expires_at, replaced_by }: ApiKey, now: number): 'active' | 'expired' | 'replaced' {
  if (Date.parse(expires_at) <= now) return 'expired';
  return replaced_by === null ? 'active' : 'replaced';
}
