/** How `test/run.ts` tells the test files of the stack it started. Apart from `stack.ts`, which belongs to node:test. */
import { z } from 'zod'

import type { LocalStack } from '../../services/local/stack.ts'

/** What a test needs to reach the servers. `test/run.ts` puts it, as JSON, into this variable for all test files. */
export const stackVariable = 'INTENT_LEDGER_TEST_STACK'

const endpointsFormat = z.object({
  kafkaBrokers: z.array(z.string()).nonempty(),
  clickhouseUrl: z.url(),
  secrets: z.object({
    pipelinePassword: z.string(),
    stewardPassword: z.string(),
    analystPassword: z.string(),
    householdKey: z.string(),
  }),
})

export type StackEndpoints = z.infer<typeof endpointsFormat>

/** The value of the variable for a stack. */
export function describeStack(stack: LocalStack): string {
  const { kafkaBrokers, clickhouseUrl, secrets } = stack
  return JSON.stringify({ kafkaBrokers, clickhouseUrl, secrets })
}

export function readDescribedStack(described: string): StackEndpoints {
  return endpointsFormat.parse(JSON.parse(described))
}
