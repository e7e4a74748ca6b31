/** Reranking in DashScope's native format. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget, Reading, RerankAnswer, RerankBody, RerankFormat } from '../../../types/wire-format.ts';
import { invalidAnswer, parseAnswer } from '../../answer-json.ts';
import { errorIn } from './errors.ts';
import { readUsage } from './usage.ts';

/** The client format adds the documents for `return_documents`, so the vendor need not return them. */
const taken: ReadonlySet<string> = new Set(['model', 'query', 'documents', 'top_n', 'return_documents']);

/** A text-only document as text, the only form that most models accept. Other forms of multimodal models are sent unchanged. */
function writeDocument(document: string | JsonObject): Json {
  if (typeof document === 'string') return document;
  const { text, ...rest } = document;
  return typeof text === 'string' && Object.keys(rest).length === 0 ? text : document;
}

function encodeRequest(body: RerankBody, target: EncodeTarget): string {
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !taken.has(field)));
  const encoded: JsonObject = {
    model: target.model,
    input: { query: body.query, documents: body.documents.map(writeDocument) },
    parameters: { return_documents: false, ...(body.top_n === undefined ? {} : { top_n: body.top_n }), ...rest },
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

function decodeResponse(body: Buffer, reading?: Reading): RerankAnswer {
  const text = body.toString('utf8');
  const answer = parseAnswer(text);
  const error = errorIn(answer, reading);
  if (error !== undefined) throw error;
  const items = isJsonObject(answer['output']) ? answer['output']['results'] : undefined;
  if (!Array.isArray(items)) throw invalidAnswer('an answer without results', text);
  const results = items.map((item: Json) => {
    const index = isJsonObject(item) ? item['index'] : undefined;
    const score = isJsonObject(item) ? item['relevance_score'] : undefined;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || typeof score !== 'number')
      throw invalidAnswer('a result without index or score', text);
    return { index, score };
  });
  return { results: results.toSorted((one, other) => other.score - one.score), usage: readUsage(answer) };
}

export const dashscopeRerank: RerankFormat = { encodeRequest, decodeResponse, countsOf: readUsage };
