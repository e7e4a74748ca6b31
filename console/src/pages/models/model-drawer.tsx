/** One model: its form, and who may use it. */
import type { ReactNode } from 'react';
import { GrantList } from '../../components/grant-list.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { operations: ['chat'], deployments: [{ provider: '', model: '' }] } };

export function ModelDrawer({ name, onClose }: { readonly name: string | null; readonly onClose: () => void }): ReactNode {
  const t = useTexts(texts);
  return (
    <ResourceDrawer
      collection="models"
      name={name}
      title={name === null ? t('new') : <span translate="no">{name}</span>}
      initial={initial}
      onClose={onClose}
    >
      {(_draft, stored) => stored !== null && stored.partial !== true && <GrantList capability={`model/${stored.name}`} />}
    </ResourceDrawer>
  );
}
