/** Bodies that work as they stand on a first start in development mode, by method and path. */
import type { JsonObject } from '../../types/json.ts';

const messages = [{ role: 'user', content: 'Hello, gate!' }];
const model = 'demo/echo';
const provider = { kind: 'demo' };

export const operationExamples: Readonly<Record<string, JsonObject>> = {
  'post /v1/chat/completions': { model, messages },
  'post /v1/responses': { model, input: 'Hello, gate!' },
  'post /v1/responses/compact': { model, input: 'Hello, gate!' },
  'post /v1/messages': { model, max_tokens: 256, messages },
  'post /v1/messages/count_tokens': { model, messages },
  'post /v1/embeddings': { model: 'demo/embedding', input: ['one text', 'another'] },
  'post /v1/skills/{name}/runs': { input: { name: 'Li Lei' } },
  'post /api/route/explain': { model },
  'post /api/providers/test': { spec: provider, model: 'echo' },
  'post /api/models/test': { spec: { deployments: [{ provider: 'demo', model: 'echo' }] } },
  'post /api/mcp-servers/test': { spec: { kind: 'stdio', options: { program: 'pailou-demo' } } },
  'post /api/keys': { title: 'Build server', permissions: ['llm:model:use'], capabilities: ['model/demo/*'], expires_in_days: 30 },
  'post /api/config/apply': {
    documents: [{ apiVersion: 'pailou/v1', kind: 'Provider', metadata: { name: 'demo-two' }, spec: provider }],
    dry_run: true,
  },
  'patch /api/models/{name}': { spec: { tags: ['demo', 'team'] } },
  'patch /api/skills/{name}': { spec: { title: 'Greeting' } },
  'patch /api/mcp-servers/{name}': { spec: { concurrency: 20 } },
  'patch /api/providers/{name}': { enabled: true },
};
