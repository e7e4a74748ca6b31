/** The suite's client scenarios that apply to Pailou's own client, and the command that starts it. */
import { fileURLToPath } from 'node:url';
import type { Revision } from './suite.ts';

/** A shell command; the suite appends the URL of its server. */
export const clientCommand = `"${process.execPath}" "${fileURLToPath(new URL('client.ts', import.meta.url))}"`;

/** The scenarios by revision, without auth/*. Pailou authenticates to an upstream with headers that an administrator sets, never with an interactive sign-in. */
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
