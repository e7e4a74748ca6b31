/** The paths of OpenAI and compatible vendors by operation. */
import type { Provider } from '../../types/provider.ts';
import { type Operation, operations } from '../../types/wire-format.ts';
import type { BaseAddress } from '../connection/base-address.ts';

const paths: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  embeddings: '/embeddings',
  rerank: '/rerank',
  images: '/images/generations',
  transcriptions: '/audio/transcriptions',
  speech: '/audio/speech',
};

/** Full addresses below `base`. Built once per provider; a call only looks them up. */
export function openaiAddresses(base: BaseAddress): Provider['address'] {
  const addresses = Object.fromEntries(operations.map((operation) => [operation, base.at(paths[operation])])) as Record<Operation, string>;
  const responses = base.at('/responses');
  return ({ operation, format }) => (format === 'openai-responses' ? responses : addresses[operation]);
}
