/** Amazon Bedrock: chat by Converse, embeddings by InvokeModel. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { bedrockChat } from './chat.ts';
import { bedrockEmbeddings } from './embeddings.ts';

export default definePlugin({
  type: 'format',
  kind: 'bedrock',
  title: 'Amazon Bedrock Converse',
  options: z.strictObject({}),
  create: () => ({ chat: bedrockChat, embeddings: bedrockEmbeddings }),
});
