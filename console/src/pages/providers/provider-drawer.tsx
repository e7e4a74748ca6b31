/** One provider: the form of its kind, a test of the unsaved draft, and the models that the vendor offers. */
import { useNavigate } from '@tanstack/react-router';
import { App } from 'antd';
import { type ReactNode, useState } from 'react';
import { ErrorState } from '../../components/error-state.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { useAddModels } from './add-models.ts';
import { type FoundModel, ModelDiscovery } from './discovery.tsx';
import { DraftTest } from './draft-test.tsx';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { kind: 'openai-compatible', options: {} } };

interface ProviderDrawerProps {
  readonly name: string | null;
  readonly onClose: () => void;
}

export function ProviderDrawer({ name, onClose }: ProviderDrawerProps): ReactNode {
  const t = useTexts(texts);
  const { message } = App.useApp();
  const navigate = useNavigate();
  const [found, setFound] = useState<readonly FoundModel[]>([]);
  const [chosen, setChosen] = useState<readonly FoundModel[]>([]);
  const addModels = useAddModels({
    // Those that are added are no longer ticked, so that a second try adds the rest.
    onAdded: (added) => setChosen((before) => before.filter(({ model }) => model !== added.model)),
    onAllAdded: (count) => {
      void message.success(t('modelsAdded', { count }));
      // The next step of a new provider: who may use its models.
      if (name === null) void navigate({ to: '/models' });
    },
    onRefused: () => void message.error(t('modelsNotAdded')),
  });
  const add = (provider: string): void => {
    if (chosen.length > 0) addModels.mutate({ provider, models: chosen });
  };
  return (
    <ResourceDrawer
      collection="providers"
      name={name}
      title={name === null ? t('new') : <span translate="no">{name}</span>}
      initial={initial}
      onClose={onClose}
      onSaved={(saved) => add(saved)}
    >
      {(draft, stored) => (
        <>
          <ModelDiscovery
            spec={draft.spec}
            stored={stored?.name}
            chosen={chosen}
            onChoose={setChosen}
            onFound={setFound}
            onAdd={() => add(stored?.name ?? '')}
            isAdding={addModels.isPending}
          />
          {addModels.error !== null && <ErrorState error={addModels.error} />}
          <DraftTest spec={draft.spec} stored={stored?.name} offered={[...new Set([...chosen, ...found].map(({ model }) => model))]} />
        </>
      )}
    </ResourceDrawer>
  );
}
