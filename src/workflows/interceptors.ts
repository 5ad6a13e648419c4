import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';
import { trailIdField } from '../config/temporal-names.ts';

/** Passes the trail id in this run's memo to each activity; a run started by an older version has none. */
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
