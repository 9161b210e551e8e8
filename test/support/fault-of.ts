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

/** What is said by the refusal that work ends with, which has that code; fails the test when nothing is refused. */
export function complaintOf(code: PipelineError['code'], work: () => unknown): string {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof PipelineError, String(thrown))
    assert.equal(thrown.code, code)
    return thrown.message
  }
  assert.fail('nothing was refused')
}
