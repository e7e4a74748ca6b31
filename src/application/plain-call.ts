/** Which calls a worker serves by itself: those of models alone, with nothing that only the primary process knows. */
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { ModelEntry, TenantView } from '../types/snapshot.ts';

/** The paths of calls that may be plain. */
export const plainPaths: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/embeddings']);

/** Members that need state of earlier calls, tools or approvals. */
const ofPrimary = ['gateway', 'mcp_servers', 'previous_response_id'];

/** The limits of a deployment are counted in the primary process, and so are kept answers. */
function isPlainModel(view: TenantView, model: ModelEntry, seen: Set<ModelEntry>): boolean {
  if (seen.has(model)) return true;
  seen.add(model);
  if (model.spec.cache !== undefined) return false;
  for (const { limits } of model.deployments) if (Object.values(limits).some((limit) => limit !== undefined)) return false;
  for (const { model: name } of model.spec.fallbacks) {
    const next = view.models.get(name);
    if (next !== undefined && !isPlainModel(view, next, seen)) return false;
  }
  return true;
}

/** Functions of the caller. Others may be tools of Pailou. */
function isCallersTool(tool: Json): boolean {
  if (!isJsonObject(tool)) return false;
  const { type } = tool;
  return type === undefined || type === 'function' || type === 'custom';
}

function areCallersTools(tools: Json | undefined): boolean {
  return tools === undefined || tools === null || (Array.isArray(tools) && tools.every(isCallersTool));
}

/** The answer is stored unless the caller says otherwise. */
const isStored = (path: string, { store }: JsonObject): boolean => path === '/v1/responses' && store !== false;

/** False for everything that is not surely plain: the primary process serves it. */
export function isPlainCall(view: TenantView, path: string, body: unknown): boolean {
  if (!plainPaths.has(path) || !isJsonObject(body) || isStored(path, body)) return false;
  for (const member of ofPrimary) if (body[member] !== undefined && body[member] !== null) return false;
  const { model: name, tools } = body;
  const model = typeof name === 'string' ? view.models.get(name) : undefined;
  return model !== undefined && areCallersTools(tools) && isPlainModel(view, model, new Set());
}
