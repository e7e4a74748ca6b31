/** One skill: the form of its kind, a test run, its cases and its versions. */
import { ExportOutlined } from '@ant-design/icons';
import { type ReactNode, useMemo } from 'react';
import type { Row } from '../../api/rows.ts';
import { DownloadButton } from '../../components/download-button.tsx';
import { type DrawerTab, ResourceDrawer } from '../../components/resource-drawer.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { CasesTab } from './cases-tab.tsx';
import { type SkillSpec, skillPath } from './skill-api.ts';
import { texts } from './texts.ts';
import { TryTab } from './try-tab.tsx';
import { VersionsTab } from './versions-tab.tsx';

const initial = { name: '', enabled: true, spec: { kind: 'prompt', description: '', options: {} } };

interface SkillDrawerProps {
  readonly name: string | null;
  readonly tab: string | undefined;
  readonly onTab: (tab: string) => void;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
}

export function SkillDrawer({ name, tab, onTab, onClose, onSaved }: SkillDrawerProps): ReactNode {
  const t = useTexts(texts);
  const tabs = useMemo(
    (): readonly DrawerTab[] => [
      {
        key: 'try',
        label: t('try'),
        content: ({ stored, draft, change, isDirty, canChange }) => (
          <TryTab
            key={stored.name}
            row={stored as Row<SkillSpec>}
            isDirty={isDirty}
            canChange={canChange}
            onCase={(one) => change({ ...draft.spec, cases: [...((draft.spec as SkillSpec).cases ?? []), one] })}
          />
        ),
      },
      {
        key: 'cases',
        label: t('cases'),
        content: ({ stored, isDirty }) => <CasesTab row={stored as Row<SkillSpec>} isDirty={isDirty} />,
      },
      {
        key: 'versions',
        label: t('versions'),
        content: ({ stored, isDirty, canChange }) => <VersionsTab row={stored as Row<SkillSpec>} isDirty={isDirty} canChange={canChange} />,
      },
    ],
    [t],
  );
  return (
    <ResourceDrawer
      wide
      collection="skills"
      name={name}
      title={name ?? t('new')}
      initial={initial}
      startsWithExample
      tabs={tabs}
      tab={tab}
      onTab={onTab}
      onClose={onClose}
      onSaved={onSaved}
    >
      {(_draft, stored) =>
        stored !== null &&
        stored.partial !== true && (
          <DownloadButton icon={<ExportOutlined aria-hidden />} path={`${skillPath(stored.name)}/export`}>
            {t('export')}
          </DownloadButton>
        )
      }
    </ResourceDrawer>
  );
}
