/**
 * `npm run bench`: a mock upstream, a bare proxy and Pailou, loaded in turn in one run; one table of what Pailou costs beside the bare proxy.
 * Options: --quick (short windows, for a first look), --only <part of a name>, --json (the rows as JSON too).
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startGateway } from './gateway.ts';
import { type Candidate, measure, memoryPerStream } from './measure.ts';
import { startServer } from './processes.ts';
import { type Row, scenarioRow, table } from './report.ts';
import { holdBody, models, scenarios } from './scenarios.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
if (!existsSync('/proc/self/stat')) {
  console.error('The benchmark reads CPU time from /proc, so it needs Linux.');
  process.exit(2);
}
const plan = options.quick ? { windows: 3, seconds: 1 } : { windows: 7, seconds: 3 };
const streams = options.quick ? { few: 100, many: 400 } : { few: 250, many: 1250 };
const wanted = (name: string): boolean => name.includes(options.only);
const startBudgetMs = 2000;
const streamBudgetKilobytes = 40;

await using owned = new AsyncDisposableStack();
const upstream = await startServer('mock-upstream');
owned.defer(() => upstream.stop());
const proxy = await startServer('bare-proxy', upstream.url);
owned.defer(() => proxy.stop());
const gateway = await startGateway(upstream.url, models);
owned.defer(() => gateway.stop());

const direct = { url: upstream.url, token: null };
const bare: Candidate = { name: 'bare proxy', url: proxy.url, pid: proxy.pid, token: null };
const pailou: Candidate = { name: 'Pailou', url: gateway.url, pid: gateway.pid, token: gateway.token };
const rows: Row[] = [];

for (const scenario of scenarios.filter(({ name }) => wanted(name))) {
  console.error(`${scenario.name} …`);
  rows.push(scenarioRow(scenario, await measure(scenario, [bare, pailou], direct, plan), bare, pailou));
}
if (wanted('memory of an open idle stream')) {
  console.error('memory of open streams …');
  const [bareKilobytes, ownKilobytes] = [
    await memoryPerStream(bare, holdBody, streams.few, streams.many),
    await memoryPerStream(pailou, holdBody, streams.few, streams.many),
  ];
  rows.push({
    work: 'memory of an open idle stream',
    bare: `${bareKilobytes.toFixed(1)} kB`,
    pailou: `${ownKilobytes.toFixed(1)} kB`,
    ratio: ownKilobytes / bareKilobytes,
    budget: `<= ${streamBudgetKilobytes} kB`,
    within: ownKilobytes <= streamBudgetKilobytes,
    note: `resident memory, slope from ${streams.few} to ${streams.many} streams`,
  });
}
if (wanted('start to ready')) {
  rows.push({
    work: 'start to ready, embedded database',
    bare: '',
    pailou: `${gateway.readyMs.toFixed(0)} ms`,
    ratio: null,
    budget: `< ${startBudgetMs} ms`,
    within: gateway.readyMs < startBudgetMs,
    note: `first start with migrations and demo; the next start ${gateway.againMs.toFixed(0)} ms`,
  });
}

console.log(
  `\nNode ${process.version}, ${availableParallelism()} cores, ${plan.windows} interleaved windows of ${plan.seconds} s each; ratio: median over the windows\n`,
);
console.log(table(rows));
if (options.json) console.log(JSON.stringify(rows));
