/** The chat so far as a program. */
import { Modal, Tabs } from 'antd';
import type { ReactNode } from 'react';
import { CodeBlock } from '../../components/code-block.tsx';
import { codeSample, type SampleLanguage, sampleLanguages } from '../../components/code-samples.ts';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const names: Readonly<Record<SampleLanguage, string>> = { curl: 'curl', python: 'Python', typescript: 'TypeScript' };

interface CodeModalProps {
  readonly body: object;
  readonly onClose: () => void;
}

export function CodeModal({ body, onClose }: CodeModalProps): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  return (
    <Modal open title={t('code')} footer={null} width={760} onCancel={onClose}>
      <p>{t('codeHelp')}</p>
      <Tabs
        items={sampleLanguages.map((language) => ({
          key: language,
          label: <span translate="no">{names[language]}</span>,
          children: <CodeBlock text={codeSample(language, body as Readonly<Record<string, unknown>>)} label={names[language]} />,
        }))}
      />
    </Modal>
  );
}
