/** Maps vendors' finish reasons to OpenAI's. One table for all formats. */
import type { FinishReason } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { Reading } from '../types/wire-format.ts';

/** `none`: the answer continues, although the field has a value. */
type Meaning = FinishReason | 'failure' | 'none';

const reasonsByMeaning: Readonly<Record<Meaning, readonly string[]>> = {
  stop: [
    'stop',
    'end_turn',
    'stop_sequence',
    'complete',
    'completed',
    'pause_turn',
    'compaction',
    'eos',
    'eos_token',
    'end_of_sequence',
    'end_of_text',
    'endoftext',
    'normal',
    'finish',
    'finished',
    'eosfound',
    'stopstringfound',
  ],
  length: [
    'length',
    'max_tokens',
    'max_output_tokens',
    'max_length',
    'model_length',
    'model_context_window_exceeded',
    'token_limit',
    'maxpredictedtokensreached',
    'contextlengthreached',
  ],
  tool_calls: ['tool_calls', 'tool_use', 'tool_call', 'toolcalls'],
  function_call: ['function_call'],
  content_filter: [
    'content_filter',
    'sensitive',
    'refusal',
    'safety',
    'recitation',
    'blocklist',
    'prohibited_content',
    'spii',
    'image_safety',
    'content_filtered',
    'guardrail_intervened',
    'error_toxic',
  ],
  failure: [
    'network_error',
    'insufficient_system_resource',
    'error',
    'failed',
    'malformed_function_call',
    'abort',
    'aborted',
    'cancelled',
    'user_cancel',
    'timeout',
    'time_limit',
  ],
  none: ['', 'null', 'none', 'not_finished', 'in_progress', 'finish_reason_unspecified'],
};

const reasons = new Map<string, Meaning>();
for (const [meaning, vendorReasons] of Object.entries(reasonsByMeaning)) {
  for (const raw of vendorReasons) reasons.set(raw, meaning as Meaning);
}

/** OpenAI's finish reason for a vendor's `raw` one, in any case. `own`: additional reasons of this vendor. Undefined for an unknown reason. */
export function meaningOf(raw: string, own?: Reading['finishReasons']): Meaning | undefined {
  const vendorMeaning = own !== undefined && Object.hasOwn(own, raw) ? own[raw] : undefined;
  return vendorMeaning ?? reasons.get(raw) ?? reasons.get(raw.toLowerCase()) ?? own?.['*'];
}

/** The error for a finish reason that reports a failure. */
export function failedReason(raw: string): GatewayError {
  return new GatewayError('upstream_error', 'The vendor failed while answering. Try again.', { details: { finishReason: raw } });
}

/** The error for an unknown finish reason: the answer may be incomplete. */
export function unknownReason(raw: string): GatewayError {
  return new GatewayError('upstream_interrupted', 'The vendor ended the answer for a reason that is not known; it may be incomplete.', {
    details: { finishReason: raw.slice(0, 100), remedy: 'Say what the word means in finish_reasons of the options of the provider.' },
  });
}
