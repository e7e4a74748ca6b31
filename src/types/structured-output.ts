/** How a JSON Schema is enforced on an answer. */

/** By the vendor (`json_schema`), or by Pailou with the vendor's JSON mode (`json_object`) or without it (`none`). */
export const structuredOutputs = ['json_schema', 'json_object', 'none'] as const;
export type StructuredOutput = (typeof structuredOutputs)[number];

/** The vendor's documented support of `response_format`. */
export interface StructuredOutputSupport {
  /** For models without an entry. */
  readonly usual: StructuredOutput;
  /** By name, with `*` for any characters. The first match applies. */
  readonly models?: Readonly<Record<string, StructuredOutput>>;
  /** The vendor's page that documents it. Null: none was found and the safe choice was taken. */
  readonly source: string | null;
}
