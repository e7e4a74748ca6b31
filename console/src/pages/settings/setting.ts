/** The answer of `GET /api/settings`, and how its values are read. */
export interface Setting {
  readonly name: string;
  /** Null for a secret, and where the default holds. */
  readonly value: string | null;
  readonly is_set: boolean;
  readonly is_secret: boolean;
  readonly default: string;
  readonly help: { readonly en: string; readonly zh: string };
}

/** The value that holds: the given one, else the default. */
export function valueOf(settings: readonly Setting[], name: string): string {
  const setting = settings.find((each) => each.name === name);
  return setting?.value ?? setting?.default ?? '';
}

/** The days of a setting, or null where it keeps rows for ever. */
export function daysOf(settings: readonly Setting[], name: string): number | null {
  const days = Number(valueOf(settings, name));
  return Number.isFinite(days) ? days : null;
}
