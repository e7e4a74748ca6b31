/** Vendors' words for why an answer ended, mapped to OpenAI's. One table for all formats. */
import type { FinishReason } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { Reading } from '../types/wire-format.ts';

const words: Readonly<Record<FinishReason | 'failure', readonly string[]>> = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'STOP', 'COMPLETE', 'STOP_SEQUENCE', 'pause_turn', 'eos'],
  length: ['length', 'max_tokens', 'MAX_TOKENS', 'model_length', 'model_context_window_exceeded'],
  tool_calls: ['tool_calls', 'tool_use', 'TOOL_CALL'],
  function_call: ['function_call'],
  content_filter: [
    'content_filter',
    'sensitive',
    'refusal',
    'SAFETY',
    'RECITATION',
    'BLOCKLIST',
    'PROHIBITED_CONTENT',
    'SPII',
    'IMAGE_SAFETY',
    'content_filtered',
    'guardrail_intervened',
  ],
  failure: ['network_error', 'insufficient_system_resource', 'ERROR', 'error', 'MALFORMED_FUNCTION_CALL'],
};

const reasons = new Map<string, FinishReason | 'failure'>();
for (const [reason, vendors] of Object.entries(words)) {
  for (const word of vendors) reasons.set(word, reason as FinishReason | 'failure');
}

/**
 * OpenAI's word for a vendor's `raw` one; `own` are those of this vendor alone. Throws `upstream_error` where it names a failure of the vendor, and
 * `upstream_interrupted` for a word that nobody knows: that the answer is whole would be a guess.
 */
export function mapFinishReason(raw: string, own?: Reading['finishReasons']): FinishReason {
  const reason = own?.[raw] ?? reasons.get(raw);
  if (reason === undefined) {
    throw new GatewayError('upstream_interrupted', 'The vendor ended the answer for a reason that is not known; it may be incomplete.', {
      details: { finishReason: raw.slice(0, 100) },
    });
  }
  if (reason === 'failure') {
    throw new GatewayError('upstream_error', 'The vendor failed while answering. Try again.', { details: { finishReason: raw } });
  }
  return reason;
}
