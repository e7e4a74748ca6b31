/** Sound in formats that cannot carry it: its transcript becomes text. */
import { GatewayError } from '../../types/errors.ts';

/** The error for an answer of sound alone, which would look empty. */
export function soundWithoutTranscript(): GatewayError {
  return new GatewayError(
    'unsupported_parameter',
    'model: it answered with sound and no transcript, which this format cannot carry. Ask by /v1/chat/completions.',
    { param: 'model' },
  );
}
