/** Lists all definitions of a connected server, page by page, within bounds. */
import type { Client } from '@modelcontextprotocol/client';
import type { ListingMender } from './mended-listing.ts';
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
  const bounded = <T>(list: readonly T[]): readonly T[] => list.slice(0, mostOfOneSort);
  const instructions = client.getInstructions();
  // The SDK's types are narrower than what servers may send; definitions are passed on unchanged.
  return {
    tools: bounded(tools),
    resources: bounded(resources),
    templates: bounded(templates),
    prompts: bounded(prompts),
    ...(instructions === undefined || instructions.trim() === '' ? {} : { instructions: instructions.slice(0, mostInstructions) }),
    ...(mender.problems.length === 0 ? {} : { problems: mender.problems.slice(0, mostProblems) }),
  } as unknown as ServerListing;
}
