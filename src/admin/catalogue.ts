/** GET /api/catalogue: public facts about upstream models, each with source and date. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { storedText } from '../api/bodies/stored-text.ts';
import { catalogueVendors } from '../models/catalogue/vendors.ts';
import type { KnownModel, ModelCatalogue } from '../types/known-model.ts';
import { operations } from '../types/wire-format.ts';
import { pageOf, pageQuery } from './paging.ts';

const catalogueQuery = pageQuery.extend({
  vendor: storedText(64).optional().describe('The vendor as the catalogue names it, such as openai or dashscope.'),
  kind: storedText(64).optional().describe('The kind of a provider, such as openai or qwen.'),
  model: storedText(256).optional().describe("A part of the model's name."),
  upstream: storedText(256)
    .optional()
    .describe('The upstream name as a deployment has it: returns the entry that matches it. Requires kind.'),
  operation: z.enum(operations).optional(),
  input: z.enum(['text', 'image', 'audio', 'video', 'pdf']).optional().describe('An input modality that the model must have.'),
  currency: z.string().length(3).optional().describe('Only models with a price in this currency.'),
  tools: z.stringbool().optional(),
  thinking: z.stringbool().optional(),
});

type Query = z.output<typeof catalogueQuery>;

/** The id is the position in the list: `<vendor>/<model>`. */
const shown = (known: KnownModel) => ({ id: `${known.vendor}/${known.model}`, ...known });

/** True when every filter matches. An unknown fact matches no filter. */
function meets(known: KnownModel, query: Query): boolean {
  const { vendor, model, operation, input, currency, tools, thinking } = query;
  return (
    (vendor === undefined || known.vendor === vendor) &&
    (model === undefined || known.model.toLowerCase().includes(model.toLowerCase())) &&
    (operation === undefined || known.operations?.includes(operation) === true) &&
    (input === undefined || known.input?.includes(input) === true) &&
    (currency === undefined || known.prices.some((price) => price.currency === currency.toUpperCase())) &&
    (tools === undefined || known.tools === tools) &&
    (thinking === undefined || (known.thinking !== undefined && (known.thinking !== false) === thinking))
  );
}

function candidates(catalogue: ModelCatalogue, { kind, upstream }: Query): readonly KnownModel[] {
  if (upstream !== undefined) {
    const found = kind === undefined ? undefined : catalogue.find({ kind, host: null }, upstream);
    return found === undefined ? [] : [found];
  }
  if (kind === undefined) return catalogue.all();
  const vendors = new Set([kind, ...catalogueVendors.filter(({ kinds }) => kinds.includes(kind)).map(({ id }) => id)]);
  return catalogue.all().filter(({ vendor }) => vendors.has(vendor));
}

export function addCatalogue(app: FastifyInstance, catalogue: ModelCatalogue): void {
  app.get<{ Querystring: Query }>(
    '/api/catalogue',
    {
      config: { access: ['llm:model:view'] },
      schema: {
        tags: ['models'],
        summary: 'Public data on upstream models: prices, context, modalities, each with its source',
        querystring: catalogueQuery,
      },
    },
    async (request) => {
      const found = candidates(catalogue, request.query)
        .filter((known) => meets(known, request.query))
        .map(shown)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1));
      return pageOf(found, ({ id }) => id, request.query);
    },
  );
}
