import { messageOf, PipelineError } from '../domain/faults.ts'
import { decodePlan, type Plan } from '../domain/plan.ts'

/** The plan in a group's committed metadata, or undefined; one that can't be read is a fault, never taken for none. */
export function readCommittedPlan(
  metadata: string | null | undefined,
  where: { readonly topic: string; readonly group: string; readonly partition: number },
): Plan | undefined {
  try {
    return decodePlan(metadata)
  } catch (thrown) {
    throw new PipelineError(
      `group ${where.group} holds an unreadable plan for ${where.topic}/${where.partition}: ${messageOf(thrown)}; a newer version of the classifier may have written it`,
      { code: 'plan_unreadable', cause: thrown },
    )
  }
}
