/**
 * `npm run chaos`: a bad day on purpose. Faults while calls run, and a table of what callers saw and what the ledger lost.
 * Needs Linux. Arguments: words of the faults to try, e.g. `npm run chaos -- redis`. Exits with 1 for a false end or an unexplained loss.
 */
import { databaseFaults } from './databases.ts';
import { clockSteps, fullDisk } from './files-and-clocks.ts';
import { idleStreams } from './idle-streams.ts';
import { killedNode } from './killed-node.ts';
import { manyRows } from './many-rows.ts';
import { rollingUpgrade } from './rolling-upgrade.ts';
import type { Scenario } from './scene.ts';
import { failingVendors, lostIdentity } from './vendors-and-identity.ts';

const scenarios: readonly Scenario[] = [
  killedNode,
  ...databaseFaults,
  fullDisk,
  clockSteps,
  lostIdentity,
  failingVendors,
  idleStreams,
  manyRows,
  rollingUpgrade,
];

const asked = process.argv.slice(2).map((word) => word.toLowerCase());
const chosen = scenarios.filter(({ fault }) => asked.length === 0 || asked.some((word) => fault.toLowerCase().includes(word)));

async function tryOut(scenario: Scenario): Promise<{ readonly line: string; readonly isGood: boolean }> {
  const { fault } = scenario;
  const row = (...cells: readonly (string | number)[]): string => `| ${[fault, ...cells].join(' | ')} |`;
  const began = performance.now();
  try {
    await using owned = new AsyncDisposableStack();
    const outcome = await scenario.run(owned);
    if (typeof outcome === 'string') return { line: row('-', '-', '-', '-', outcome), isGood: true };
    const { seen, codes = [], lost, isExplained } = outcome;
    const explicit = codes.length === 0 ? seen.explicit : `${seen.explicit} (${codes.join(', ')})`;
    return { line: row(seen.whole, explicit, seen.broken, seen.false, lost), isGood: isExplained && seen.false === 0 };
  } catch (thrown) {
    return { line: row('-', '-', '-', '-', `failed: ${String(thrown).slice(0, 200)}`), isGood: false };
  } finally {
    console.error(`${fault}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
}

const results: { readonly line: string; readonly isGood: boolean }[] = [];
for (const scenario of chosen) results.push(await tryOut(scenario));
console.log('| fault | whole | explicit error | connection broke | false end | what the ledger lost |\n|---|---|---|---|---|---|');
for (const { line, isGood } of results) console.log(isGood ? line : `${line} <- not as it must be`);
process.exitCode = results.every(({ isGood }) => isGood) ? 0 : 1;
