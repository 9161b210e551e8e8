import assert from 'node:assert/strict'

import { PipelineError } from '../../services/shared/domain/faults.ts'

/** The fault that something fails with; fails the test when it doesn't. */
export async function faultOf(work: Promise<unknown>): Promise<PipelineError> {
  const thrown: unknown = await work.then(
    () => assert.fail('no fault'),
    (error: unknown) => error,
  )
  assert.ok(thrown instanceof PipelineError, String(thrown))
  return thrown
}
