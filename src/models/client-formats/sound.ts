/** Sound in formats that have no place for it: its transcript is told as text. */
import { GatewayError } from '../../types/errors.ts';

/** An answer of sound alone, which would seem empty. */
export function soundWithoutWords(): GatewayError {
  return new GatewayError(
    'unsupported_parameter',
    'model: it answered with sound and no transcript, which this format cannot carry. Ask by /v1/chat/completions.',
    { param: 'model' },
  );
}
