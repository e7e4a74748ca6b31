/** OpenAI's wire format, which most vendors speak with deviations; the decoder takes all the known ones. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { openaiChat } from './chat.ts';
import { openaiEmbeddings } from './embeddings.ts';

export default definePlugin({
  type: 'format',
  kind: 'openai',
  title: 'OpenAI chat completions and embeddings',
  options: z.strictObject({}),
  create: () => ({ chat: openaiChat, embeddings: openaiEmbeddings }),
});
