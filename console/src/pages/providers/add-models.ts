/** Makes rows of the models that were ticked. */
import { useMutation, type UseMutationResult, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/client.ts';
import type { FoundModel } from './discovery.tsx';

interface Wanted {
  readonly provider: string;
  readonly models: readonly FoundModel[];
}

/** Public names are those of the vendor; characters that a name cannot hold become hyphens. */
export function publicName(model: string): string {
  return model.replaceAll(/[^A-Za-z0-9._/:@-]+/g, '-').slice(0, 128);
}

interface Report {
  readonly onAdded: (model: FoundModel) => void;
  readonly onAllAdded: (count: number) => void;
  readonly onRefused: () => void;
}

/** Adds the models one by one up to the first that is refused. Reports even when the drawer that asked is closed. */
export function useAddModels({ onAdded, onAllAdded, onRefused }: Report): UseMutationResult<void, Error, Wanted> {
  const client = useQueryClient();
  return useMutation({
    async mutationFn({ provider, models }) {
      for (const found of models) {
        const { model, operations } = found;
        const spec = { deployments: [{ provider, model }], ...(operations === null ? {} : { operations }) };
        await call('POST', '/api/models', { body: { name: publicName(model), spec } });
        onAdded(found);
      }
    },
    onSuccess: (_nothing, { models }) => onAllAdded(models.length),
    onError: onRefused,
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/models'] }),
  });
}
