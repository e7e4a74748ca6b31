/** The tools that the gateway called for an answer, and the buttons for those that wait for a decision. */
import { Button, Space, Timeline } from 'antd';
import type { ReactNode } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import type { Approval, Step, StepStatus } from './chat.ts';
import { texts } from './texts.ts';

const colors: Readonly<Record<StepStatus, string>> = {
  started: 'blue',
  completed: 'green',
  failed: 'red',
  denied: 'gray',
  approval_required: 'orange',
};

interface StepTimelineProps {
  readonly steps: readonly Step[];
  readonly canDecide: boolean;
  readonly onDecide: (approvals: readonly Approval[]) => void;
}

export function StepTimeline({ steps, canDecide, onDecide }: StepTimelineProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const waiting = steps.filter(({ status }) => status === 'approval_required');
  const decideAll = (approve: boolean): void => onDecide(waiting.map(({ id }) => ({ id, approve })));
  if (steps.length === 0) return null;
  return (
    <div className="steps">
      <Timeline
        items={steps.map((step) => ({
          key: step.id,
          color: colors[step.status],
          content: (
            <>
              <code translate="no">{step.capability}</code> {t(`step.${step.status}`)}{' '}
              {step.duration_ms !== undefined && format.duration(step.duration_ms)}
              {step.input !== undefined && (
                <div>
                  <code className="wrap" translate="no">
                    {JSON.stringify(step.input)}
                  </code>
                </div>
              )}
            </>
          ),
        }))}
      />
      {canDecide && waiting.length > 0 && (
        <Space wrap>
          <Button type="primary" size="small" onClick={() => decideAll(true)}>
            {t('approve')}
          </Button>
          <Button danger size="small" onClick={() => decideAll(false)}>
            {t('deny')}
          </Button>
        </Space>
      )}
    </div>
  );
}
