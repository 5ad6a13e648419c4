import { status } from '@grpc/grpc-js';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { expect, test } from 'vitest';
import { failAfterClose } from '../../../src/temporal/closed-channel.ts';

test('a call that is started after its connection was closed fails, and does not end the process', async () => {
  const connection = Connection.lazy({
    address: '127.0.0.1:1',
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), failAfterClose],
  });
  await connection.close();
  await expect(connection.workflowService.getSystemInfo({})).rejects.toMatchObject({
    code: status.CANCELLED,
  });
});
