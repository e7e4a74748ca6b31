/** Writes `docs/prices.md` from the schema of a price and the table of billings: `npm run docs`. A test compares them. */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { priceSpec } from '../src/types/price-spec.ts';
import { billings } from '../src/types/price.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly type?: string;
}

const head = `# Prices

<!-- Written by \`npm run docs\` from src/types/price-spec.ts and src/types/price.ts; a test fails when they differ. -->

A price belongs to a deployment of a model (\`deployments[].price\`, [routing.md](routing.md)). Amounts are written as people write them: decimals of a currency of ISO 4217, as a text (\`"2.00"\`) or a
number (\`0.5\`), each in the unit that its field names. Inside they are exact: whole femto-units (10^-15 of the currency), so that a million calls of one token cost what one call of a million tokens costs.
Answers of the API show amounts of the currency as well (\`"cost": 5.415\`), rounded there and nowhere before.

\`\`\`json
{ "currency": "USD", "input": "3.00", "cached_input": "0.30", "output": "15.00",
  "tiers": [{ "above_input_tokens": 200000, "input": "6.00", "output": "22.50" }] }
\`\`\`

\`\`\`json
{ "currency": "CNY", "input": 2, "cached_input": 0.5, "output": 8,
  "periods": [{ "from": "00:30", "to": "08:30", "time_zone": "Asia/Shanghai", "factor": 0.5 }] }
\`\`\`

\`\`\`json
{ "currency": "USD", "per_picture": [{ "size": "1024x1024", "quality": "high", "price": "0.167" }, { "price": "0.042" }] }
\`\`\`

A tier replaces what it names for the whole call; then the first period that the call begins in, then \`batch\` where the vendor says that it answered at that tier of service.
Input is split before it is priced: what was read from a cache, written to one, or is sound or a picture is no plain input, and no token is counted twice.

## Fields

| field | meaning |
|---|---|
`;

const billed = `
\`tiers[]\`, \`periods[]\` and \`batch\` take the same amounts as the price itself.

## What an operation is billed in

A price counts for an operation if it has all the amounts of one of these ways. Otherwise its cost is unknown, never 0: \`unpriced\` in \`GET /api/usage\`, and \`403 price_unknown\` under a [budget](limits.md).

| operation | ways |
|---|---|
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

function rowsOf(properties: Readonly<Record<string, Schema>>, path: string, known: ReadonlySet<string>): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (path !== '' && known.has(name)) return [];
    const own = `| \`${path}${name}\` | ${cell(schema.description ?? '')} |\n`;
    const inner = schema.items?.properties ?? schema.properties;
    return inner === undefined ? [own] : [own, ...rowsOf(inner, `${path}${name}${schema.items === undefined ? '' : '[]'}.`, known)];
  });
}

/** The complete expected page. */
export function pricesPage(): string {
  const { properties = {} } = z.toJSONSchema(priceSpec, { io: 'input' }) as Schema;
  const ways = Object.entries(billings).map(
    ([operation, names]) => `| \`${operation}\` | ${names.map((way) => way.map((name) => `\`${name}\``).join(' and ')).join(', or ')} |\n`,
  );
  return `${head}${rowsOf(properties, '', new Set(Object.keys(properties))).join('')}${billed}${ways.join('')}`;
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/prices.md', import.meta.url), pricesPage());
  console.log('docs/prices.md is written');
}
