/** Fits `reasoning_effort` to the model; clients such as Claude Code send it with every request. Vendors of OpenAI's chat format fit its values. */
import type { ChatRequest } from '../types/chat.ts';
import { nearestEffort } from '../types/model-reasoning.ts';
import type { Deployment } from '../types/snapshot.ts';

/** The effort to send; null to leave it out. */
function effortFor(
  effort: string,
  { reasoning, model }: Pick<Deployment, 'reasoning' | 'model'>,
  format: string,
  warn: (note: string) => void,
): string | null {
  if (reasoning?.thinking === false) {
    if (effort !== 'none') warn(`reasoning_effort left out: ${model} does not think`);
    return null;
  }
  const { efforts = [] } = reasoning ?? {};
  if (format !== 'openai-responses' || efforts.length === 0) return effort;
  const nearest = nearestEffort(effort, efforts);
  if (nearest !== effort) warn(`reasoning_effort is ${nearest}: ${model} has no ${effort}`);
  return nearest;
}

/** The same object when the model takes the effort. */
export function fitEffort(
  request: ChatRequest,
  deployment: Pick<Deployment, 'reasoning' | 'model'>,
  format: string,
  warn: (note: string) => void,
): ChatRequest {
  const effort = request.body['reasoning_effort'];
  if (typeof effort !== 'string') return request;
  const fitting = effortFor(effort, deployment, format, warn);
  if (fitting === effort) return request;
  const { reasoning_effort: _given, ...others } = request.body;
  const { raw: _stale, ...rest } = request;
  const body = fitting === null ? others : { ...others, reasoning_effort: fitting };
  return { ...rest, body };
}
