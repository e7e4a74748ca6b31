/** Lists all definitions of a connected server, page by page, within bounds. */
import type { Client } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../../../types/json.ts';
import type { ListingMender, ListMember } from './mended-listing.ts';
import type { ServerListing } from '../../../../types/tool-source.ts';

/** Bound on the instructions in characters; they are part of every client's prompt. */
const mostInstructions = 20_000;
const mostProblems = 50;
/** Bound for each kind of definition, to limit memory and the size of prompts. */
const mostOfOneSort = 2_000;

/** Requests only the kinds that the server declares in its capabilities. */
export async function readServerListing(client: Client, signal: AbortSignal, mender: ListingMender): Promise<ServerListing> {
  mender.start();
  const has = client.getServerCapabilities() ?? {};
  const options = { signal, cacheMode: 'bypass' } as const;
  const [tools, resources, templates, prompts] = await Promise.all([
    has.tools === undefined ? [] : client.listTools(undefined, options).then((answer) => answer.tools),
    has.resources === undefined ? [] : client.listResources(undefined, options).then((answer) => answer.resources),
    // A server with resources may lack templates.
    has.resources === undefined
      ? []
      : client.listResourceTemplates(undefined, options).then(
          (answer) => answer.resourceTemplates,
          (thrown: unknown) => {
            if (thrown instanceof Error && 'code' in thrown && thrown.code === -32_601) return [];
            throw thrown;
          },
        ),
    has.prompts === undefined ? [] : client.listPrompts(undefined, options).then((answer) => answer.prompts),
  ]);
  /** As the server wrote them, without those that the SDK left out. */
  const written = <T extends object>(
    kept: readonly T[],
    member: ListMember,
    nameOf: (definition: JsonObject | T) => unknown,
  ): readonly unknown[] => {
    const names = new Set(kept.map(nameOf));
    return mender
      .definitions(member)
      .filter((definition) => names.has(nameOf(definition)))
      .slice(0, mostOfOneSort);
  };
  const instructions = client.getInstructions();
  return {
    tools: written(tools, 'tools', (each) => (each as { name?: unknown }).name),
    resources: written(resources, 'resources', (each) => (each as { uri?: unknown }).uri),
    templates: written(templates, 'resourceTemplates', (each) => (each as { uriTemplate?: unknown }).uriTemplate),
    prompts: written(prompts, 'prompts', (each) => (each as { name?: unknown }).name),
    ...(instructions === undefined || instructions.trim() === '' ? {} : { instructions: instructions.slice(0, mostInstructions) }),
    ...(mender.problems.length === 0 ? {} : { problems: mender.problems.slice(0, mostProblems) }),
  } as unknown as ServerListing;
}
