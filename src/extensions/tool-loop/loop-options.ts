/** Options of a tool loop. */
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { ChatEvents, ChatRequest } from '../../types/chat.ts';
import type { Decision } from '../../types/approval-decision.ts';
import type { ToolExecutor } from './call-tools.ts';
import type { ServerTool } from './tool-requests.ts';

export interface ToolLoopOptions extends ToolExecutor {
  readonly request: ChatRequest;
  readonly owner: ToolLoopOwner;
  readonly states: ToolLoopStates;
  /** The id of the loop's run. */
  readonly run: string;
  readonly tools: readonly ServerTool[];
  /** Decisions on calls that an earlier answer left pending. */
  readonly decisions: readonly Decision[];
  /** The number of rounds with server-side tools; a last answer without tools follows. Default 8. */
  readonly maxSteps?: number;
  callModel(request: ChatRequest): Promise<{ readonly events: ChatEvents }>;
}
