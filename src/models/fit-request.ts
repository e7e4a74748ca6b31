/** Fits a chat to one deployment, before its format writes it: effort, numbers, names of tools, other client formats. */
import type { ChatRequest } from '../types/chat.ts';
import type { Deployment } from '../types/snapshot.ts';
import type { ChatFormat, EncodeTarget } from '../types/wire-format.ts';
import { customToolsAsFunctions } from './conversation/custom-tools.ts';
import { fitEffort } from './reasoning-effort.ts';
import { fitLimits, fitNativeLimits } from './request-limits.ts';
import { fitTranslated, goesAsWritten } from './translated-request.ts';
import { renameTools } from './vendor-tool-names.ts';

export interface FittedRequest {
  readonly request: ChatRequest;
  /** The format that writes it and reads its answer. */
  readonly format: ChatFormat;
}

/** `kind`: that of the wire format. What is left out or changed is reported by `target.warn`. Throws `unsupported_parameter`. */
export function fitRequest(
  given: ChatRequest,
  deployment: Pick<Deployment, 'reasoning' | 'model' | 'known' | 'provider'>,
  { kind, format, target }: { readonly kind: string; readonly format: ChatFormat; readonly target: EncodeTarget },
): FittedRequest {
  const provider = deployment.provider.instance;
  const effort = fitEffort(given, deployment, kind, (note) => target.warn(note));
  const numbers = { limits: provider.limits, maxOutput: deployment.known?.max_output };
  // Numbers of a request in Anthropic's format are left to its caller.
  const isResponses = kind === 'openai-responses' && goesAsWritten(given, kind, provider);
  const limited = isResponses ? fitNativeLimits(effort, numbers, target) : fitLimits(effort, numbers, target);
  // A request in the vendor's own format goes as its caller wrote it.
  const renamed = given.native?.format === kind ? null : renameTools(limited, format, target);
  const fitted = fitTranslated(renamed?.request ?? limited, { format: kind, provider, target });
  return { request: provider.customTools === true ? fitted : customToolsAsFunctions(fitted), format: renamed?.format ?? format };
}
