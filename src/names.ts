/** Names under which the trail's parts are found in Temporal; people type them. */
export const defaultTaskQueue = 'flow-trail';
export const supervisorWorkflowType = 'superviseTrail';
export const supervisorWorkflowId = 'flow-trail/supervisor';
