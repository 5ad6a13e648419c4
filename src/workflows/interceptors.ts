import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';
import { trailIdField } from './messages.ts';

/** Hands the trail id of this run's memo to each activity; a run of an older version has none. */
export function interceptors(): WorkflowInterceptors {
  return {
    outbound: [
      {
        scheduleActivity(input, next) {
          const trailId = workflowInfo().memo?.[trailIdField];
          if (typeof trailId !== 'string') return next(input);
          const payload: Payload = defaultPayloadConverter.toPayload(trailId);
          return next({ ...input, headers: { ...input.headers, [trailIdField]: payload } });
        },
      },
    ],
  };
}
