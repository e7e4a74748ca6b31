/**
 * `npm run conformance:mcp`: runs the official MCP suite against Pailou and against the upstream alone, and prints one table. A scenario
 * that fails against the upstream alone is not a fault of Pailou. Options: --only <part of a row's name>, --why (the reasons of each
 * failed scenario).
 */
import { parseArgs } from 'node:util';
import { clientCommand, clientScenarios } from './client-scenarios.ts';
import { serverName, startGateway } from './gateway.ts';
import { type Part, reasons, table } from './report.ts';
import { examineClient, examineExtension, examineServer, type Revision, revisions } from './suite.ts';
import { startUpstream } from './upstream.ts';

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, why: { type: 'boolean', default: false } },
});

/** Number of scored scenarios that may fail through Pailou. */
const forgiven: Readonly<Record<Revision, number>> = { '2025-11-25': 0, '2026-07-28': 1 };
/** The protocol setting of the upstream for each revision that the suite uses with Pailou. */
const protocols = { '2025-11-25': 'legacy', '2026-07-28': 'auto' } as const;

/** Scenarios of the Skills extension (SEP-2640). */
const skillScenarios = ['sep-2640-skills-enumeration', 'sep-2640-skills-manifest', 'sep-2640-skills-directory'];

const parts: Part[] = [];
const wanted = (revision: Revision, against: string): boolean => `${revision} ${against}`.includes(options.only);

async function examine(revision: Revision, against: string, mayFail: number, work: () => Promise<Part['scenarios']>): Promise<void> {
  if (!wanted(revision, against)) return;
  console.error(`${revision}, ${against}…`);
  parts.push({ revision, against, mayFail, scenarios: await work() });
}

await using owned = new AsyncDisposableStack();
const upstream = owned.use(await startUpstream());
const gateway = owned.use(await startGateway());

for (const revision of revisions) {
  await examine(revision, 'the upstream alone', 0, () => examineServer(upstream.url, revision, null));
  const paths = [`/mcp/${serverName}`, '/mcp'];
  if (paths.some((path) => wanted(revision, path))) await gateway.register(upstream.url, protocols[revision]);
  for (const path of paths) {
    await examine(revision, path, forgiven[revision], () => examineServer(`${gateway.url}${path}`, revision, gateway.token));
  }
  await examine(revision, '/mcp, skills', 0, () => examineExtension(`${gateway.url}/mcp`, revision, gateway.token, skillScenarios));
  const client = "Pailou's own client";
  await examine(revision, client, 0, () => examineClient(clientCommand, revision, clientScenarios[revision]));
}

if (parts.length === 0) {
  console.error(`--only: no row's name holds "${options.only}".`);
  process.exitCode = 2;
}
console.log(table(parts));
if (options.why) console.log(`\n${reasons(parts)}`);
if (parts.some((part) => part.scenarios.filter(({ scored, faults }) => scored && faults.length > 0).length > part.mayFail))
  process.exitCode = 1;
