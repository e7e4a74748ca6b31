/**
 * Writes `docs/counting.md`: each operation in each way of counting, read, bounded and priced by the code itself. Run by `npm run docs`;
 * tests compare the page, and each row with a running gateway.
 */
import { writeFileSync } from 'node:fs';
import { openaiUsagePaths } from '../src/models/vendor-formats/openai/usage.ts';
import { billings } from '../src/types/price.ts';
import { countingSamples } from './counting-samples.ts';

const head = `# What is counted, and how

<!-- Written by \`npm run docs\` from scripts/counting-samples.ts; tests hold the page to the code, and each row to what a gateway books. -->

Each unit of each operation is booked once: in the run of the ledger (\`GET /api/runs\`), in the attempt that used it, in the report (\`GET /api/usage\`) and in the budgets that count it, at the
deployment's [price](prices.md). A vendor that tells nothing gets an estimate, marked \`estimated\`. A number that can be no count (a fraction, below zero, beyond 50 million tokens or what a double holds exactly) is none:
it is estimated, marked, reported in \`x-pailou-warnings\` where the headers are not sent yet, and in the attempt's \`detail\`.

Room under a budget is set aside before: tokens by the input and \`max_tokens\`, pictures by \`n\`, size and quality, sound by the length of the file (its headers, else its size), characters by the text, searches by the number of
documents (100 each).

| operation | way of counting | in the answer | ledger and report | tokens of limits | price | cost |
|---|---|---|---|---|---|---|
`;

const code = (value: unknown): string => `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``;

function rows(): string[] {
  return countingSamples.map(({ operation, way, counts, booked, price, cost }) => {
    const { estimated, ...units } = booked;
    const ledger = Object.entries(units).map(([name, count]) => `${name} ${count}`);
    const tokens = Number(units['input_tokens'] ?? 0) + Number(units['output_tokens'] ?? 0);
    const limit = tokens > 0 ? String(tokens) : 'estimate';
    const reported = Object.keys(counts).length === 0 ? 'nothing' : code(counts);
    const at = Object.keys(price).length === 0 ? 'none' : code(price);
    return `| \`${operation}\` | ${way} | ${reported} | ${ledger.join(', ')}${estimated === true ? ', estimated' : ''} | ${limit} | ${at} | ${cost} |\n`;
  });
}

/** The complete expected page. */
export function countingPage(): string {
  const fields = Object.entries(openaiUsagePaths).map(
    ([name, paths]) => `| ${name} | ${paths.map((path) => `\`${path}\``).join(', ')} |\n`,
  );
  const operations = Object.keys(billings).map((operation) => `\`${operation}\``);
  return `${head}${rows().join('')}
Operations: ${operations.join(', ')}.

## Where counts are looked for

In answers of OpenAI's format, in order of trust; a kind of provider may name more (\`usage\` in its dialect, one line a field).

| count | paths |
|---|---|
${fields.join('')}`;
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/counting.md', import.meta.url), countingPage());
  console.log('docs/counting.md is written');
}
