/** One model: its form, a test of the draft, and who may use it. */
import { type ReactNode, useMemo } from 'react';
import { GrantList } from '../../components/grant-list.tsx';
import { type DrawerTab, ResourceDrawer } from '../../components/resource-drawer.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { DraftTest } from './draft-test.tsx';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { operations: ['chat'], deployments: [{ provider: '', model: '' }] } };

interface ModelDrawerProps {
  readonly name: string | null;
  readonly tab: string | undefined;
  readonly onTab: (tab: string) => void;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}

export function ModelDrawer({ name, tab, onTab, onClose, onSaved }: ModelDrawerProps): ReactNode {
  const t = useTexts(texts);
  const tabs = useMemo(
    (): readonly DrawerTab[] => [
      {
        key: 'access',
        label: t('access'),
        content: ({ stored }) => stored.partial !== true && <GrantList capability={`model/${stored.name}`} />,
      },
    ],
    [t],
  );
  return (
    <ResourceDrawer
      collection="models"
      name={name}
      title={name === null ? t('new') : <span translate="no">{name}</span>}
      initial={initial}
      tabs={tabs}
      tab={tab}
      onTab={onTab}
      onClose={onClose}
      onSaved={onSaved}
    >
      {(draft, stored) => stored?.partial !== true && <DraftTest spec={draft.spec} />}
    </ResourceDrawer>
  );
}
