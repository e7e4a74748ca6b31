/** Converts Gemini's sources to OpenAI's citations. Google counts positions in bytes, OpenAI's clients in characters. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function citation(url: Json | undefined, title: Json | undefined, start: number, end: number): JsonObject[] {
  if (typeof url !== 'string' || url === '') return [];
  const named = typeof title === 'string' && title !== '' ? title : url;
  return [{ type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title: named } }];
}

function placer(text: string): (offset: Json | undefined, otherwise: number) => number {
  const bytes = Buffer.from(text);
  return (offset, otherwise) => (typeof offset === 'number' ? bytes.subarray(0, Math.max(0, offset)).toString('utf8').length : otherwise);
}

/** The annotations for `text`. A source without a passage applies to the whole text. */
export function readCitations(text: string, grounding: JsonObject | undefined, cited: JsonObject | undefined): JsonObject[] {
  const place = placer(text);
  const chunks = objects(grounding?.['groundingChunks']).map((chunk) =>
    [chunk['web'], chunk['retrievedContext'], chunk['maps']].find(isJsonObject),
  );
  const supports = objects(grounding?.['groundingSupports']);
  const found = supports.flatMap((support) => {
    const segment = isJsonObject(support['segment']) ? support['segment'] : {};
    const indices = Array.isArray(support['groundingChunkIndices']) ? (support['groundingChunkIndices'] as readonly Json[]) : [];
    return indices.flatMap((index) => {
      const chunk = typeof index === 'number' ? chunks[index] : undefined;
      return citation(chunk?.['uri'], chunk?.['title'], place(segment['startIndex'], 0), place(segment['endIndex'], text.length));
    });
  });
  const loose = supports.length > 0 ? [] : chunks.flatMap((chunk) => citation(chunk?.['uri'], chunk?.['title'], 0, text.length));
  const quoted = objects(cited?.['citations'] ?? cited?.['citationSources']).flatMap((each) =>
    citation(each['uri'], each['title'], place(each['startIndex'], 0), place(each['endIndex'], text.length)),
  );
  return [...found, ...loose, ...quoted];
}
