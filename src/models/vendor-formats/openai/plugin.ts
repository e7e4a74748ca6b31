/** OpenAI's wire format, which most vendors use with deviations. The decoder accepts all known ones. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { openaiChat } from './chat.ts';
import { openaiEmbeddings } from './embeddings.ts';
import { openaiRerank } from './rerank.ts';

export default definePlugin({
  type: 'format',
  kind: 'openai',
  title: 'OpenAI chat completions, embeddings and reranking',
  options: z.strictObject({}),
  create: () => ({ chat: openaiChat, embeddings: openaiEmbeddings, rerank: openaiRerank }),
});
