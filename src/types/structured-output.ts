/** How an answer is held to a JSON Schema. */

/** By the vendor (`json_schema`), or by Pailou with the vendor's JSON mode (`json_object`) or without it (`none`). */
export const structuredOutputs = ['json_schema', 'json_object', 'none'] as const;
export type StructuredOutput = (typeof structuredOutputs)[number];

/** What a vendor's own documents say of `response_format`. */
export interface StructuredOutputSupport {
  /** For models that are not named here. */
  readonly usual: StructuredOutput;
  /** By name, `*` for any characters; the first that fits counts. */
  readonly models?: Readonly<Record<string, StructuredOutput>>;
  /** The page that says so; null where none was found, and the careful way is taken. */
  readonly source: string | null;
}
