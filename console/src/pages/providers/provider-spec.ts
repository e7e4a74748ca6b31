/** The spec of a provider, as far as the page reads it. */
export interface ProviderSpec {
  readonly kind: string;
  readonly options?: Readonly<Record<string, unknown>>;
}
