/** The native format of Alibaba Cloud's DashScope, with features that its OpenAI-compatible mode lacks. */
import { z } from 'zod';
import { definePlugin } from '../../../types/plugin.ts';
import { dashscopeChat } from './chat.ts';
import { dashscopeEmbeddings } from './embeddings.ts';
import { dashscopeRerank } from './rerank.ts';

export default definePlugin({
  type: 'format',
  kind: 'dashscope',
  title: 'DashScope native: Tongyi text and multimodal, embeddings, reranking',
  options: z.strictObject({}),
  create: () => ({ chat: dashscopeChat, embeddings: dashscopeEmbeddings, rerank: dashscopeRerank }),
});
