import { afterEach, beforeAll, beforeEach, inject } from 'vitest';
import { makeWorkflowBundle } from '../../src/worker/workflow-bundle.ts';
import type { FakeReaders } from './fake-readers.ts';
import { quietRuntime, SupervisorHarness } from './supervisor-harness.ts';

interface Supervisor {
  bundle: { code: string };
  harness: SupervisorHarness;
  readers: FakeReaders;
}

/** Creates a harness with new fake readers for each test of the file. The fields are set only while a test runs. */
export function useSupervisor(): Supervisor {
  const current: Partial<Supervisor> = {};
  beforeAll(async () => {
    quietRuntime();
    current.bundle = await makeWorkflowBundle();
  });
  beforeEach(async () => {
    current.harness = await SupervisorHarness.start(inject('temporalAddress'), required('bundle'));
    current.readers = current.harness.readers;
  });
  afterEach(() => current.harness?.close());

  function required<Name extends keyof Supervisor>(name: Name): Supervisor[Name] {
    const value = current[name];
    if (value === undefined) throw new Error(`${name} exists only while a test runs`);
    return value;
  }
  return {
    get bundle() {
      return required('bundle');
    },
    get harness() {
      return required('harness');
    },
    get readers() {
      return required('readers');
    },
  };
}
