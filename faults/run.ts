/** `npm run faults`: starts the misbehaving vendor and prints how to point Pailou at it. Option: --port (9999). */
import { parseArgs } from 'node:util';
import { behaviours } from './behaviours.ts';
import { startFaultServer } from './server.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '9999' } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error('--port: a number from 1 to 65535, e.g. --port 9999');
  process.exit(2);
}
const server = await startFaultServer({ port });
const width = Math.max(...Object.keys(behaviours).map((name) => name.length));
console.log(
  [
    `A vendor that misbehaves listens at ${server.url}. The name of the model says how:`,
    '',
    ...Object.entries(behaviours).map(([name, { meaning }]) => `  ${name.padEnd(width)}  ${meaning}`),
    '',
    'Point Pailou at it as an administrator (docs/faults.md shows more):',
    '',
    `curl http://127.0.0.1:8000/api/providers -H "Authorization: Bearer $(npx pailou token --role admin)" -H 'Content-Type: application/json' -d '{"name":"faults","spec":{"kind":"openai-compatible","options":{"base_url":"${server.url}"}}}'`,
    `curl http://127.0.0.1:8000/api/models -H "Authorization: Bearer $(npx pailou token --role admin)" -H 'Content-Type: application/json' -d '{"name":"cut","spec":{"deployments":[{"provider":"faults","model":"cut-3"}]}}'`,
    `curl -N http://127.0.0.1:8000/v1/chat/completions -H "Authorization: Bearer $(npx pailou token --role developer)" -H 'Content-Type: application/json' -d '{"model":"cut","stream":true,"messages":[{"role":"user","content":"Hello"}]}'`,
  ].join('\n'),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close().then(() => process.exit(0)));
