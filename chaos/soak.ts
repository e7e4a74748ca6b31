/**
 * `npm run soak`: half an hour of calls with a tenth of the attempts failing, and a plot of memory, descriptors and event-loop delay.
 * `--minutes N`. Needs Linux. Exits with 1 for a false end, a loss, or growth from the second quarter to the last.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { residentKilobytes } from '../bench/processes.ts';
import { answerOk } from '../test/whole/vendor.ts';
import { losingNothing, type Scene, startScene, underLoad } from './scene.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error('--minutes: a number above 0, e.g. --minutes 10');
  process.exit(2);
}
const columns = 60;
/** A larger growth from the second quarter to the last is a leak. */
const mostGrowth = { 'memory in MB': 1.3, 'open descriptors': 1.3 } as const;

interface Sample {
  readonly 'memory in MB': number;
  readonly 'open descriptors': number;
  readonly 'event-loop delay in ms, the longest': number;
}

async function sampleOf({ nodes }: Scene): Promise<Sample> {
  const [node] = nodes;
  if (node === undefined) throw new Error('there is no node');
  const { text } = await node.gateway.as('admin', 'GET', '/metrics');
  return {
    'memory in MB': Math.round(residentKilobytes(node.pid) / 1_024),
    'open descriptors': readdirSync(`/proc/${node.pid}/fd`).length,
    'event-loop delay in ms, the longest': Math.round(Number(/^pailou_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1_000),
  };
}

const bars = '▁▂▃▄▅▆▇█';
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / Math.max(1, numbers.length);

function plot(name: string, numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const bar = (value: number): string => bars[Math.round(((value - least) / Math.max(1, most - least)) * (bars.length - 1))] ?? '';
  return `${numbers.map(bar).join('')}  ${name}: ${least} to ${most}`;
}

await using owned = new AsyncDisposableStack();
const scene = await startScene(owned, [{}]);
let turn = 0;
scene.vendor.behave(async (request, response) => {
  await sleep(30);
  if (turn++ % 10 === 9) response.writeHead(503).end('{}');
  else answerOk(request, response, 'one two three four five');
});
const samples: Sample[] = [];
const ended = await underLoad(scene, 'm', async () => {
  for (let count = 0; count < columns; count++) {
    await sleep((minutes * 60_000) / columns);
    samples.push(await sampleOf(scene));
  }
});
const { seen, codes = [], lost, isExplained } = await losingNothing(scene, ended);
const names = ['memory in MB', 'open descriptors', 'event-loop delay in ms, the longest'] as const;
console.log(`${minutes} minutes, ${ended.length} calls: ${seen.whole} whole, ${seen.explicit} explicit errors (${codes.join(', ')}),`);
console.log(`${seen.broken} broken, ${seen.false} false ends; lost of the ledger: ${lost}\n`);
for (const name of names)
  console.log(
    plot(
      name,
      samples.map((sample) => sample[name]),
    ),
  );
const grows = Object.entries(mostGrowth).filter(([name, most]) => {
  const of = samples.map((sample) => sample[name as keyof typeof mostGrowth]);
  return mean(of.slice((columns * 3) / 4)) > most * mean(of.slice(columns / 4, columns / 2));
});
for (const [name] of grows) console.log(`${name} grew from the second quarter to the last.`);
process.exitCode = seen.false + seen.broken > 0 || !isExplained || grows.length > 0 ? 1 : 0;
