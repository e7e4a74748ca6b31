/** The answer of `POST /api/route/explain`. */
export interface Candidate {
  readonly deployment: string;
  readonly tier: number;
  readonly weight: number;
  readonly takes_calls: boolean;
  readonly reason: string;
  readonly in_flight: number;
  readonly first_token_ms: number | null;
}

export interface Route {
  readonly model: string;
  readonly strategy: string;
  readonly candidates: readonly Candidate[];
  readonly fallbacks: readonly {
    readonly model: string;
    readonly on: readonly string[];
    readonly usable: boolean;
    readonly reason: string;
  }[];
}

export interface Tier {
  readonly tier: number;
  readonly candidates: readonly Candidate[];
}

/** The tiers from the first to the last, each with its deployments by weight. */
export function tiersOf({ candidates }: Route): readonly Tier[] {
  const tiers = [...new Set(candidates.map(({ tier }) => tier))].toSorted((one, other) => one - other);
  return tiers.map((tier) => ({
    tier,
    candidates: candidates.filter((each) => each.tier === tier).toSorted((one, other) => other.weight - one.weight),
  }));
}
