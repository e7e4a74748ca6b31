/** A button that copies a text and says so. */
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { type ReactNode, useEffect, useState } from 'react';
import { useTexts } from '../i18n/texts.ts';
import { copyText } from './clipboard.ts';
import { texts } from './texts.ts';

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for screen readers. */
  readonly label?: string;
  readonly showText?: boolean;
}

export function CopyButton({ text, label, showText = false }: CopyButtonProps): ReactNode {
  const t = useTexts(texts);
  const { message } = App.useApp();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    if (await copyText(text)) setCopied(true);
    else message.warning(t('copyFailed'));
  };
  // Speech control finds a button by the text that is seen, so the name begins with it.
  const shown = t(copied ? 'copied' : 'copy');
  return (
    <Button
      size="small"
      type={showText ? 'default' : 'text'}
      icon={copied ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />}
      aria-label={label === undefined ? shown : `${shown}: ${label}`}
      onClick={() => void copy()}
    >
      {showText ? shown : null}
    </Button>
  );
}
