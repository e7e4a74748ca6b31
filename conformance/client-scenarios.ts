/** Which of the suite's client scenarios Pailou's own client has a part in, and how the suite starts it. */
import { fileURLToPath } from 'node:url';
import type { Revision } from './suite.ts';

/** A line of shell; the suite puts the address of its server behind it. */
export const clientCommand = `"${process.execPath}" "${fileURLToPath(new URL('client.ts', import.meta.url))}"`;

/** Without auth/*: towards an upstream Pailou authenticates itself by headers that an administrator sets, never by a sign-in of its own. */
export const clientScenarios: Readonly<Record<Revision, readonly string[]>> = {
  '2025-11-25': ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
  ],
};
