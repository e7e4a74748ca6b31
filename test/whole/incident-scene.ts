/** The gateway for tests of published incidents: a separate process, a scripted vendor, four users. */
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { nodePrograms } from './stdio-programs.ts';
import { type Answer, startProcess } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

export const canaries = {
  // In the form of some vendors: 32 hexadecimal digits, like many ids.
  vendor: '5f0c7a1be2d94c38a6b1d0e9f7c84a23',
  tools: 'canary-of-the-tools-71c5',
  master: Buffer.from('canary-of-the-master-key-0123456').toString('base64'),
};
export const chief = chiefOf('default');
export const developer: Person = { subject: 'dev', tenant: 'default', roles: ['developer'] };
export const user: Person = { subject: 'ursula', tenant: 'default', roles: ['user'] };
export const other: Person = { subject: 'otto', tenant: 'default', roles: ['user'] };

export interface Scene extends AsyncDisposable {
  readonly companies: Companies;
  /** Behind the model `gpt`, which every user may use. */
  readonly vendor: Vendor;
  /** The whole log of the gateway. */
  readonly output: () => string;
  /** Sends a request without a token. */
  readonly bare: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
}

export async function setScene(): Promise<Scene> {
  const vendor = await startVendor();
  let output = (): string => '';
  const env = { PAILOU_LOG_LEVEL: 'debug', PAILOU_MASTER_KEY: canaries.master, ...nodePrograms([['-e', 'process.exit()']]) };
  const companies = await startCompanies(env, async (all) => {
    const started = await startProcess(all);
    ({ output } = started);
    return started;
  });
  await companies.must(chief, 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: canaries.vendor } },
  });
  await companies.must(chief, 'POST', '/api/models', { name: 'gpt', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await companies.must(chief, 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/gpt', action: 'use' },
  });
  return {
    companies,
    vendor,
    output,
    bare: (method, path, body, headers) => companies.gateway.as(null, method, path, body, headers),
    async [Symbol.asyncDispose]() {
      await companies[Symbol.asyncDispose]();
      await vendor[Symbol.asyncDispose]();
    },
  };
}

export const chat = (more: object = {}) => ({ model: 'gpt', messages: [{ role: 'user', content: 'Hi' }], ...more });

/** Clients of Anthropic's format have no codes. */
export function codeOf({ json }: Answer): string {
  const { error } = json as { error: { code?: string; type: string } };
  return error.code ?? error.type;
}
