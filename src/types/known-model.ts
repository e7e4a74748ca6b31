/** Public facts about an upstream model: the columns of the model catalogue. A missing column is unknown, never zero or false. */
import { z } from 'zod';
import { thoughtsReturns } from './model-reasoning.ts';
import { type PriceSpec, priceSpec } from './price-spec.ts';
import { structuredOutputs } from './structured-output.ts';
import { operations } from './wire-format.ts';

const inputs = ['text', 'image', 'audio', 'video', 'pdf'] as const;
const outputs = ['text', 'image', 'audio'] as const;
const tokens = z.int().min(1).max(100_000_000);
const modelName = z.string().min(1).max(256);

const columns = {
  operations: z.array(z.enum(operations)).min(1).optional(),
  formats: z
    .array(z.enum(['responses']))
    .optional()
    .describe('Wire formats beside that of the provider, where the model answers only in these.'),
  context_window: tokens.optional().describe('The most tokens of input; with some vendors of input and output together.'),
  max_output: tokens.optional().describe('The most tokens of one answer.'),
  input: z.array(z.enum(inputs)).min(1).optional().describe('Input modalities.'),
  output: z.array(z.enum(outputs)).min(1).optional().describe('Output modalities.'),
  tools: z.boolean().optional().describe('The model calls functions.'),
  thinking: z
    .union([z.boolean(), z.literal('always')])
    .optional()
    .describe('The model reasons before it answers; always: reasoning cannot be disabled.'),
  efforts: z.array(z.string().min(1).max(20)).min(1).optional().describe('The values of reasoning_effort that the vendor takes.'),
  thoughts_return: z
    .enum(thoughtsReturns)
    .optional()
    .describe('with_tools: the vendor requires the reasoning of a turn with tool calls in the next request; never: it takes none.'),
  structured_output: z
    .enum(structuredOutputs)
    .optional()
    .describe('json_schema: the vendor holds the answer to a schema; json_object: to JSON alone; none: to neither.'),
  vector_size: tokens.optional().describe('The length of the vectors of an embedding model.'),
  price: z
    .union([priceSpec, z.array(priceSpec).min(1).max(8)])
    .optional()
    .describe('One price, or one for each currency in which the vendor bills.'),
  retires: z.iso.date().optional().describe('The day on which the vendor switches the model off.'),
  note: z.string().min(1).max(300).optional(),
};

/** One row of a vendor's table. */
const builtInModel = z.strictObject({
  model: modelName.describe("The vendor's own name of the model."),
  also: z.array(modelName).min(1).optional().describe('Other names for the same model at the same price.'),
  ...columns,
  operations: columns.operations.unwrap(),
  source: z.string().min(1).describe('A key of `sources`.'),
});

export const vendorTable = z.strictObject({
  sources: z.record(
    z.string(),
    z.strictObject({
      url: z.url({ protocol: /^https$/ }).describe('The public page that states it.'),
      title: z.string().min(1).max(200).describe('What was read.'),
      date: z.iso.date().describe('The day for which it was valid.'),
    }),
  ),
  models: z.array(builtInModel).min(1),
});
export type VendorTable = z.output<typeof vendorTable>;

/** One entry of an operator's file. It replaces the columns that it names. */
const operatorModel = z.strictObject({
  kind: z.string().min(1).max(64).describe('The kind of the provider, such as openai.'),
  model: modelName,
  ...columns,
  source: z.string().min(1).max(300).optional().describe('Where it is written down, such as a contract.'),
  date: z.iso.date().optional(),
});
export const operatorTable = z.strictObject({ models: z.array(operatorModel).max(10_000) });
export type OperatorModel = z.output<typeof operatorModel>;

export interface ModelSource {
  readonly url?: string;
  readonly title: string;
  readonly date?: string;
}

/** One model of the catalogue. */
export interface KnownModel extends Omit<z.output<z.ZodObject<typeof columns>>, 'price'> {
  readonly vendor: string;
  /** As in the catalogue. A deployment may use another name. */
  readonly model: string;
  /** One for each billing currency; the most common one first. */
  readonly prices: readonly PriceSpec[];
  /** The last entry has the newest data. */
  readonly sources: readonly ModelSource[];
}

/** A provider as identified in the catalogue. */
export interface VendorKey {
  readonly kind: string;
  /** The host of its address, which distinguishes regions of one vendor. Null when the row names none. */
  readonly host: string | null;
}

export interface ModelCatalogue {
  /** The catalogue entry of the upstream model, or undefined. Reads a vendor's table once, on first use. */
  find(provider: VendorKey, model: string): KnownModel | undefined;
  /** All entries, grouped by vendor. */
  all(): readonly KnownModel[];
}
