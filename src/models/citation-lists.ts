/** The paths at which vendors list the sources of an answer: one line each. A dialect adds its own in `citations`. */
import type { CitationList } from '../types/wire-format.ts';

export const citationLists: readonly CitationList[] = [
  // xAI and Perplexity: addresses in the order of their numbers. https://docs.x.ai/docs/guides/live-search
  { at: 'citations' },
  // Perplexity and Baidu Qianfan. https://docs.perplexity.ai/api-reference/chat-completions-post
  { at: 'search_results', content: 'snippet' },
  // Qwen's compatible mode and Tencent Hunyuan. https://help.aliyun.com/zh/model-studio/web-search
  { at: 'search_info.search_results' },
  // DashScope's own format.
  { at: 'output.search_info.search_results' },
  // Zhipu. https://docs.bigmodel.cn/cn/guide/tools/web-search
  { at: 'web_search', url: 'link', number: 'refer' },
  // Volcengine's applications.
  { at: 'references', content: 'summary' },
  // Azure OpenAI On Your Data. https://learn.microsoft.com/azure/ai-foundry/openai/references/on-your-data
  { at: 'message.context.citations' },
  { at: 'message.citations' },
  // Groq's compound systems. https://console.groq.com/docs/agentic-tooling
  { at: 'message.executed_tools.search_results.results' },
];
